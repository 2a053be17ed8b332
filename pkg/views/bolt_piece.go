package views

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// boltPut is about how many bytes of pieces go into one transaction.
const boltPut = 8 << 20

func (s *boltStore) PutPieces(ctx context.Context, number uint64, pieces []Piece) error {
	act := fmt.Sprintf("put pieces for generation %d", number)
	return someAtATime(pieces, boltPut, len(pieces), func(some []Piece) error {
		return s.update(ctx, act, func(tx *bbolt.Tx) error {
			bodies, numbers := tx.Bucket(boltPieces), tx.Bucket(boltPiecesFor)
			for i := range some {
				if err := boltPutPiece(bodies, numbers, number, &some[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func boltPutPiece(bodies, numbers *bbolt.Bucket, number uint64, p *Piece) error {
	if err := p.check(); err != nil {
		return err
	}
	was := numbers.Get(p.ID[:])
	if was != nil && binary.BigEndian.Uint64(was) >= number {
		return nil
	}
	if err := numbers.Put(p.ID[:], numberKey(number)); err != nil || was != nil {
		return err
	}
	return bodies.Put(p.ID[:], p.Body)
}

func (s *boltStore) Pieces(ctx context.Context, ids []PieceID) (found map[PieceID][]byte, err error) {
	err = s.view(ctx, "read pieces", func(tx *bbolt.Tx) error {
		if found, err = boltReadPieces(tx, ids); err != nil {
			return err
		}
		return errPieces(ids, found)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// boltReadPieces gives copies of those that are there.
func boltReadPieces(tx *bbolt.Tx, ids []PieceID) (map[PieceID][]byte, error) {
	bodies, found := tx.Bucket(boltPieces), make(map[PieceID][]byte, len(ids))
	for _, id := range ids {
		body := bodies.Get(id[:])
		if body == nil || found[id] != nil {
			continue
		}
		if err := verify(id, body); err != nil {
			return nil, err
		}
		found[id] = append([]byte{}, body...)
	}
	return found, nil
}

// boltSweep drops the pieces that nothing refers to, except those of a
// generation that is still to come.
func boltSweep(tx *bbolt.Tx) error {
	current, marks := boltCurrent(tx), map[PieceID]bool{}
	err := tx.Bucket(boltGenerations).ForEach(func(k, header []byte) error {
		g, err := boltGeneration(binary.BigEndian.Uint64(k), header)
		if err != nil {
			return err
		}
		return reachable(g.Topics, marks, func(ids []PieceID) (map[PieceID][]byte, error) { return boltReadPieces(tx, ids) })
	})
	if err != nil {
		return err
	}
	bodies, numbers := tx.Bucket(boltPieces), tx.Bucket(boltPiecesFor)
	var dead [][]byte
	err = numbers.ForEach(func(id, number []byte) error {
		if binary.BigEndian.Uint64(number) <= current && !marks[PieceID(id)] {
			dead = append(dead, slices.Clone(id))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range dead {
		if err := bodies.Delete(id); err != nil {
			return err
		}
		if err := numbers.Delete(id); err != nil {
			return err
		}
	}
	return nil
}
