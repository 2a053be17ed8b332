package sign

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// Guard checks calls by the settings that a source gives it, for callers whose
// habits are their own.
type Guard struct {
	key string // a bearer key; empty: calls are signed

	secret, header, prefix string
	encoding               Encoding
	// timestamp is the header that says when a call was made; empty: none does.
	timestamp string
	tolerance time.Duration
}

const bearerHeader = "Authorization"

// ReadBearer reads the setting of a guard that wants a key as bearer token:
//
//	key  text  yes  secret
func ReadBearer(s *connect.Settings) *Guard { return &Guard{key: s.Need("key")} }

// ReadHMAC reads the settings of a guard that wants a signature, which is the
// HMAC-SHA256 of the body, or of "timestamp.body" where there is a timestamp:
//
//	secret              text           yes  secret  signs the calls
//	signature_header    text           no           X-Signature-256 if missing
//	signature_prefix    text           no           what stands before the signature, such as sha256=
//	signature_encoding  hex or base64  no           hex if missing
//	timestamp_header    text           no           has Unix seconds
//	tolerance_s         number         no           how old a call may be, 300 if missing
func ReadHMAC(s *connect.Settings, timestamp string) *Guard {
	return &Guard{
		secret: s.Need("secret"), header: s.String("signature_header", "X-Signature-256"), prefix: s.String("signature_prefix", ""),
		encoding:  Encoding(s.OneOf("signature_encoding", string(Hex), string(Base64))),
		timestamp: s.String("timestamp_header", timestamp),
		tolerance: time.Duration(s.Int("tolerance_s", 300, 1, 86400)) * time.Second,
	}
}

// Check says who is not let in, and why.
func (g *Guard) Check(h http.Header, body []byte, now time.Time) error {
	if g.key != "" {
		key, err := Header(h, bearerHeader, "Bearer ")
		if err == nil && !Same(strings.TrimSpace(key), g.key) {
			err = Wrong(bearerHeader)
		}
		return err
	}
	signature, err := Header(h, g.header, g.prefix)
	if err != nil {
		return err
	}
	signed := []string{string(body)}
	var made string
	if g.timestamp != "" {
		if made, err = Header(h, g.timestamp, ""); err != nil {
			return err
		}
		signed = []string{made, ".", string(body)}
	}
	if !g.encoding.Is(signature, SHA256(g.secret, signed...)) {
		return Wrong(g.header)
	}
	if g.timestamp == "" {
		return nil
	}
	return g.fresh(made, now)
}

// fresh refuses what somebody kept and sends again, and clocks that are wrong.
func (g *Guard) fresh(made string, now time.Time) error {
	seconds, err := strconv.ParseInt(made, 10, 64)
	if err != nil {
		return fault.New(fault.SourceKeyInvalid, "the %s header has no Unix seconds", g.timestamp)
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > g.tolerance || age < -g.tolerance {
		return fault.New(fault.SourceKeyInvalid, "the %s header is more than %d s from now", g.timestamp, int(g.tolerance/time.Second))
	}
	return nil
}
