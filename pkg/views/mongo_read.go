package views

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/clamor-live/clamor/pkg/audience"
)

func (s *mongoStore) point(ctx context.Context, number uint64) (p pointerDoc, err error) {
	err = s.pointer.FindOne(ctx, bson.D{{Key: "_id", Value: int64(number)}}).Decode(&p)
	return p, missing(err)
}

func missing(err error) error {
	if errors.Is(err, mongo.ErrNoDocuments) {
		return ErrNotFound
	}
	return err
}

func (s *mongoStore) Current(ctx context.Context) (uint64, error) {
	var p pointerDoc
	err := s.pointer.FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&p)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the current generation's number: %w", err)
	}
	return uint64(p.Number), nil
}

func (s *mongoStore) Generation(ctx context.Context, number uint64) (*Generation, error) {
	g, err := s.generation(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("read generation %d: %w", number, err)
	}
	return g, nil
}

func (s *mongoStore) generation(ctx context.Context, number uint64) (*Generation, error) {
	p, err := s.point(ctx, number)
	if err != nil {
		return nil, err
	}
	var d generationDoc
	if err := missing(s.generations.FindOne(ctx, bson.D{{Key: "_id", Value: p.Attempt}}).Decode(&d)); err != nil {
		return nil, err
	}
	docs, err := find[roundDoc](ctx, s.rounds, bson.D{{Key: "attempt", Value: p.Attempt}},
		options.Find().SetSort(bson.D{{Key: "poll", Value: 1}, {Key: "round", Value: 1}, {Key: "part", Value: 1}}))
	if err != nil {
		return nil, err
	}
	if len(docs) != d.Rounds {
		return nil, ErrNotFound // expiring
	}
	g := d.generation()
	for parts := range runsOf(docs, (*roundDoc).key) {
		if g.Rounds[parts[0].key()], err = join(parts); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func find[T any](ctx context.Context, c *mongo.Collection, filter any, opts ...options.Lister[options.FindOptions]) ([]T, error) {
	cursor, err := c.Find(ctx, filter, opts...)
	if err != nil {
		return nil, err
	}
	var list []T
	return list, cursor.All(ctx, &list)
}

func newest(field string, limit int) options.Lister[options.FindOptions] {
	return options.Find().SetSort(bson.D{{Key: field, Value: -1}, {Key: "_id", Value: -1}}).SetLimit(int64(limit))
}

func (s *mongoStore) Generations(ctx context.Context, limit int) ([]Generation, error) {
	if limit <= 0 {
		return nil, nil
	}
	points, err := find[pointerDoc](ctx, s.pointer, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("list generations: %w", err)
	}
	var list []Generation
	for _, p := range points {
		var d generationDoc
		err := s.generations.FindOne(ctx, bson.D{{Key: "_id", Value: p.Attempt}}).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			break // this one and those before it have expired
		}
		if err != nil {
			return nil, fmt.Errorf("list generations: %w", err)
		}
		g := d.generation()
		g.Rounds = nil
		list = append(list, *g)
	}
	return list, nil
}

func (s *mongoStore) Sealed(ctx context.Context, key audience.RoundKey) (*SealedRound, error) {
	out, err := s.sealedRound(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read sealed round %s: %w", roundID(key), err)
	}
	return out, nil
}

func (s *mongoStore) sealedRound(ctx context.Context, key audience.RoundKey) (*SealedRound, error) {
	docs, err := find[roundDoc](ctx, s.sealed, bson.D{{Key: "poll", Value: key.Poll}, {Key: "round", Value: int64(key.Round)}},
		options.Find().SetSort(bson.D{{Key: "number", Value: 1}, {Key: "attempt", Value: 1}, {Key: "part", Value: 1}}))
	if err != nil {
		return nil, err
	}
	for parts := range runsOf(docs, func(d *roundDoc) bson.ObjectID { return d.Attempt }) {
		d := parts[0]
		p, err := s.point(ctx, uint64(d.Number))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil && p.Attempt == d.Attempt {
			r, err := join(parts)
			return &SealedRound{
				Key: key, Generation: uint64(d.Number), SealedAt: audience.Millis(d.SealedAt), Certificate: d.Certificate, Round: r,
			}, err
		}
	}
	return nil, ErrNotFound
}
