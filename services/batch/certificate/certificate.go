// Package certificate is the signed statement of a sealed round: what was
// counted, from which definition, out of which files of the archive. Anybody
// with the archive and the public key can check every word of it.
package certificate

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Statement is what is certified.
type Statement struct {
	Version int           `json:"version"`
	Poll    string        `json:"poll"`
	Round   uint32        `json:"round"`
	Show    string        `json:"show"`
	Kind    audience.Kind `json:"kind"`
	// Totals and Options are the result.
	Totals  Totals   `json:"totals"`
	Options []Option `json:"options"`
	// Definition is the poll's in that round, whole.
	Definition audience.Poll `json:"definition"`
	// Cut is the cut that sealed the round, SealedAt its time.
	Cut      uint64          `json:"cut"`
	SealedAt audience.Millis `json:"sealed_at"`
	// Offsets are where the cut lies in each partition of ballots: what the log
	// has from there on is not in the totals.
	Offsets map[int32]int64 `json:"offsets"`
	// Files are the segments from the first that holds a record of the round up
	// to the cut, in every partition.
	Files []archive.File `json:"files"`
}

// Totals are the counts over all options.
type Totals struct {
	Votes      int64 `json:"votes"`
	Voters     int64 `json:"voters"`
	Late       int64 `json:"late"`
	Duplicates int64 `json:"duplicates"`
	Superseded int64 `json:"superseded"`
	Rejected   struct {
		Limit   int64 `json:"limit"`
		Revoked int64 `json:"revoked"`
	} `json:"rejected"`
}

// Option is one option's count; Sum is of scores.
type Option struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Slot  int    `json:"slot"`
	Votes int64  `json:"votes"`
	Sum   *int64 `json:"sum,omitempty"`
}

// Version is the only one so far.
const Version = 1

// Count fills in the result from a definition and what was counted.
func (s *Statement) Count(definition audience.Poll, r *tally.Round) {
	s.Definition = definition
	s.Show, s.Kind = definition.Show, definition.Kind
	s.Totals = Totals{Votes: r.TotalVotes(), Voters: r.Voters, Late: r.Late, Duplicates: r.Duplicates, Superseded: r.Superseded}
	s.Totals.Rejected.Limit, s.Totals.Rejected.Revoked = r.Limit, r.Revoked
	s.Options = make([]Option, len(definition.Options))
	for i, o := range definition.Options {
		s.Options[i] = Option{ID: o.ID, Label: o.Label, Slot: i + 1, Votes: at(r.Votes, i)}
		if definition.Kind == audience.Score {
			sum := at(r.Sums, i)
			s.Options[i].Sum = &sum
		}
	}
}

func at(counts []int64, i int) int64 {
	if i < len(counts) {
		return counts[i]
	}
	return 0
}

// document is the statement with its signature over the canonical bytes.
type document struct {
	Statement json.RawMessage `json:"statement"`
	Algorithm string          `json:"algorithm"`
	PublicKey string          `json:"public_key"`
	Signature string          `json:"signature"`
}

const algorithm = "Ed25519"

// Sign gives the certificate as JSON. The same statement and key give the same
// bytes.
func Sign(s *Statement, key ed25519.PrivateKey) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("certify %s round %d: %w", s.Poll, s.Round, err)
	}
	body, err := Canonical(plain)
	if err != nil {
		return nil, fmt.Errorf("certify %s round %d: %w", s.Poll, s.Round, err)
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("certify: the key is no Ed25519 key")
	}
	return json.MarshalIndent(document{
		Statement: body, Algorithm: algorithm,
		PublicKey: base64.StdEncoding.EncodeToString(public),
		Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(key, body)),
	}, "", "  ")
}

// Canonical is what is signed: the document with sorted keys, no white space
// and numbers as written, so that a certificate survives being reformatted.
func Canonical(doc []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON document")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// ErrSignature says that a certificate was not signed by the key, or changed
// since.
var ErrSignature = errors.New("the signature does not fit the statement")

// Open checks a certificate's signature and reads its statement. With a nil key
// the certificate's own is taken, which proves that the statement is unchanged
// but not who signed it; it is returned to be compared.
func Open(doc []byte, key ed25519.PublicKey) (*Statement, ed25519.PublicKey, error) {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, nil, fmt.Errorf("read certificate: %w", err)
	}
	if d.Algorithm != algorithm {
		return nil, nil, fmt.Errorf("read certificate: algorithm %q, want %s", d.Algorithm, algorithm)
	}
	named, err := ParseKey(d.PublicKey)
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate: %w", err)
	}
	if key == nil {
		key = named
	}
	signature, err := base64.StdEncoding.DecodeString(d.Signature)
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate: its signature: %w", err)
	}
	body, err := Canonical(d.Statement)
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate: its statement: %w", err)
	}
	if !ed25519.Verify(key, body, signature) {
		return nil, nil, ErrSignature
	}
	var s Statement
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, nil, fmt.Errorf("read certificate: its statement: %w", err)
	}
	if s.Version != Version {
		return nil, nil, fmt.Errorf("read certificate: version %d, want %d", s.Version, Version)
	}
	return &s, key, nil
}

// ParseKey reads a public key in base64.
func ParseKey(text string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("a public key is %d bytes in base64", ed25519.PublicKeySize)
	}
	return b, nil
}
