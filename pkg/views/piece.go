package views

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// MaxPiece bounds a piece, below what a MongoDB document holds.
const MaxPiece = 12 << 20

// PieceID is the SHA-256 of a piece: equal contents are one piece, whichever
// generations share it.
type PieceID [sha256.Size]byte

// IDOf is the id of a piece with that body.
func IDOf(body []byte) PieceID { return sha256.Sum256(body) }

func (id PieceID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes the id in hexadecimal.
func (id PieceID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *PieceID) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(id) {
		return fmt.Errorf("%w: piece %q", ErrDamaged, text)
	}
	if _, err := hex.Decode(id[:], text); err != nil {
		return fmt.Errorf("%w: piece %q", ErrDamaged, text)
	}
	return nil
}

// Piece is an immutable part of generations, stored once.
type Piece struct {
	ID   PieceID
	Body []byte
}

// NewPiece makes the piece with that body.
func NewPiece(body []byte) Piece { return Piece{ID: IDOf(body), Body: body} }

// check refuses a piece that no store could give back.
func (p *Piece) check() error {
	if len(p.Body) > MaxPiece {
		return fmt.Errorf("piece %s has %d bytes, above %d", p.ID, len(p.Body), MaxPiece)
	}
	return nil
}

// verify is the body of a piece that was read, if it is that piece's.
func verify(id PieceID, body []byte) error {
	if IDOf(body) != id {
		return fmt.Errorf("piece %s: %w", id, ErrDamaged)
	}
	return nil
}

// someAtATime cuts pieces into runs of bounded size.
func someAtATime(pieces []Piece, bytes, count int, put func([]Piece) error) error {
	for from := 0; from < len(pieces); {
		to, size := from, 0
		for to < len(pieces) && to-from < count && (to == from || size+len(pieces[to].Body) <= bytes) {
			size += len(pieces[to].Body)
			to++
		}
		if err := put(pieces[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}
