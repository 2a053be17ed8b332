package eventlog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// The ways to log in.
const (
	saslPlain    = "plain"
	saslScram256 = "scram-sha-256"
	saslScram512 = "scram-sha-512"
)

// checkSecurity names every fault, and reads the files once, so that a wrong
// path shows at the start.
func (c Config) checkSecurity() error {
	var errs []error
	switch c.SASL {
	case "":
	case saslPlain, saslScram256, saslScram512:
		if c.User == "" || c.Password == "" {
			errs = append(errs, errors.New("sasl: needs user and password"))
		}
	default:
		errs = append(errs, fmt.Errorf("sasl: %q is none of %s, %s, %s", c.SASL, saslPlain, saslScram256, saslScram512))
	}
	if !c.TLS && (c.CAFile != "" || c.CertFile != "" || c.KeyFile != "") {
		errs = append(errs, errors.New("tls: is off, but certificates are given"))
	}
	if _, err := c.certificates(); c.TLS && err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c Config) certificates() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate", c.CAFile)
		}
	}
	if c.CertFile != "" || c.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file, key_file: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

func (c Config) secure(s *sarama.Config) {
	if c.TLS {
		// Validate has read the files; should they vanish, the handshake fails.
		s.Net.TLS.Enable = true
		s.Net.TLS.Config, _ = c.certificates()
	}
	if c.SASL == "" {
		return
	}
	s.Net.SASL.Enable = true
	s.Net.SASL.User, s.Net.SASL.Password = c.User, c.Password.Reveal()
	switch c.SASL {
	case saslPlain:
		s.Net.SASL.Mechanism = sarama.SASLTypePlaintext
	case saslScram256:
		s.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA256
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &login{hash: scram.SHA256} }
	case saslScram512:
		s.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA512
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &login{hash: scram.SHA512} }
	}
}

// login is one SCRAM conversation (RFC 5802).
type login struct {
	hash scram.HashGeneratorFcn
	talk *scram.ClientConversation
}

var _ sarama.SCRAMClient = (*login)(nil)

func (l *login) Begin(user, password, authzID string) error {
	client, err := l.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	l.talk = client.NewConversation()
	return nil
}

func (l *login) Step(challenge string) (string, error) { return l.talk.Step(challenge) }

func (l *login) Done() bool { return l.talk.Done() }
