package views

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	// insertPieces and readPieces are how many go into one call: a minute has a
	// few kilobytes.
	insertPieces = 1000
	readPieces   = 1000
)

// pieceDoc is a piece as it was put for one generation. Each generation puts its
// own: a sweep that has just found that nobody refers to a piece can so never
// drop what a run under way has put meanwhile.
type pieceDoc struct {
	ID     []byte `bson:"_id"` // piece, number
	Piece  []byte `bson:"piece"`
	Number int64  `bson:"number"`
	Body   []byte `bson:"body"`
}

func (s *mongoStore) PutPieces(ctx context.Context, number uint64, pieces []Piece) error {
	err := someAtATime(pieces, insertBytes, insertPieces, func(some []Piece) error {
		docs := make([]pieceDoc, len(some))
		for i := range some {
			if err := some[i].check(); err != nil {
				return err
			}
			id := some[i].ID[:]
			docs[i] = pieceDoc{binary.BigEndian.AppendUint64(id[:len(id):len(id)], number), id, int64(number), some[i].Body}
		}
		_, err := s.pieces.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
		return butDuplicates(err)
	})
	if err != nil {
		return fmt.Errorf("put pieces for generation %d: %w", number, err)
	}
	return nil
}

// butDuplicates is err without what says that documents were there already.
func butDuplicates(err error) error {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return err
	}
	for _, w := range bulk.WriteErrors {
		if !mongo.IsDuplicateKeyError(w) {
			return err
		}
	}
	return nil
}

func (s *mongoStore) Pieces(ctx context.Context, ids []PieceID) (map[PieceID][]byte, error) {
	found, err := s.somePieces(ctx, ids)
	if err == nil {
		err = errPieces(ids, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read pieces: %w", err)
	}
	return found, nil
}

// somePieces reads those that are there.
func (s *mongoStore) somePieces(ctx context.Context, ids []PieceID) (map[PieceID][]byte, error) {
	found := make(map[PieceID][]byte, len(ids))
	for from := 0; from < len(ids); from += readPieces {
		some := ids[from:min(from+readPieces, len(ids))]
		keys := make([][]byte, len(some))
		for i := range some {
			keys[i] = some[i][:]
		}
		docs, err := find[pieceDoc](ctx, s.pieces, bson.D{{Key: "piece", Value: bson.D{{Key: "$in", Value: keys}}}})
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			id := PieceID(d.Piece)
			if d.Body == nil {
				d.Body = []byte{}
			}
			if err := verify(id, d.Body); err != nil {
				return nil, err
			}
			found[id] = d.Body
		}
	}
	return found, nil
}

// sweep drops the pieces that no generation left refers to, and of those put
// several times all but the newest.
func (s *mongoStore) sweep(ctx context.Context, current int64) error {
	generations, err := find[generationDoc](ctx, s.generations, bson.D{})
	if err != nil {
		return err
	}
	marks := map[PieceID]bool{}
	for i := range generations {
		err := reachable(generations[i].topics(), marks, func(ids []PieceID) (map[PieceID][]byte, error) { return s.somePieces(ctx, ids) })
		if err != nil {
			return err
		}
	}
	cursor, err := s.pieces.Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(ctx) }()
	var dead [][]byte
	newest := map[PieceID]uint64{}
	for cursor.Next(ctx) {
		var d pieceDoc
		if err := cursor.Decode(&d); err != nil {
			return err
		}
		id, number := PieceID(d.ID[:len(PieceID{})]), binary.BigEndian.Uint64(d.ID[len(PieceID{}):])
		switch was, again := newest[id]; {
		case number > uint64(current): // of a generation to come
		case !marks[id]:
			dead = append(dead, d.ID)
		case again:
			older := binary.BigEndian.AppendUint64(id[:], min(was, number))
			dead = append(dead, older)
			newest[id] = max(was, number)
		default:
			newest[id] = number
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	for from := 0; from < len(dead); from += insertPieces {
		some := dead[from:min(from+insertPieces, len(dead))]
		if _, err := s.pieces.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: some}}}}); err != nil {
			return err
		}
	}
	return nil
}
