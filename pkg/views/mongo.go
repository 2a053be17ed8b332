package views

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/clamor-live/clamor/pkg/audience"
)

// mongoStore inserts and never updates what readers read. A publisher writes
// everything under an attempt of its own and then inserts the pointer
// {_id: number, attempt}: the unique _id decides between two publishers, and a
// reader looks only at what the pointer's attempt wrote.
//
//	pointer      _id number, attempt, seals      append-only
//	generations  _id attempt, number, header
//	rounds       attempt, number, poll, round, part, counts, series
//	sealed       the same with the seal's header
//	pieces       _id piece and number, piece, number, body
//	runs         _id run id
type mongoStore struct {
	client                                             *mongo.Client
	pointer, generations, rounds, sealed, pieces, runs *mongo.Collection
}

var _ Store = (*mongoStore)(nil)

const (
	mongoTimeout = 30 * time.Second
	// seriesPart bounds the series of one document, well below 16 MB.
	seriesPart = 8 << 20
	// insertBytes is about how much is inserted at a time.
	insertBytes = 8 << 20
)

func openMongo(ctx context.Context, address string) (Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("open views: the mongodb address cannot be read")
	}
	database := strings.Trim(u.Path, "/")
	if database == "" {
		database = "clamor"
	}
	client, err := mongo.Connect(options.Client().ApplyURI(address).SetAppName("clamor").SetTimeout(mongoTimeout).
		SetWriteConcern(writeconcern.Majority()).SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary()))
	if err != nil {
		return nil, fmt.Errorf("open views: %w", err)
	}
	db := client.Database(database)
	s := &mongoStore{
		client: client, pointer: db.Collection("pointer"), generations: db.Collection("generations"),
		rounds: db.Collection("rounds"), sealed: db.Collection("sealed"), pieces: db.Collection("pieces"), runs: db.Collection("runs"),
	}
	if err := s.index(ctx); err != nil {
		_ = client.Disconnect(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("open views at %s: %w", u.Host, err)
	}
	return s, nil
}

func (s *mongoStore) index(ctx context.Context) error {
	for _, i := range []struct {
		c    *mongo.Collection
		keys bson.D
	}{
		{s.rounds, bson.D{{Key: "attempt", Value: 1}}},
		{s.rounds, bson.D{{Key: "number", Value: 1}}},
		{s.sealed, bson.D{{Key: "poll", Value: 1}, {Key: "round", Value: 1}}},
		{s.sealed, bson.D{{Key: "number", Value: 1}}},
		{s.generations, bson.D{{Key: "number", Value: 1}}},
		{s.pieces, bson.D{{Key: "piece", Value: 1}}},
		{s.runs, bson.D{{Key: "started", Value: -1}}},
	} {
		if _, err := i.c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: i.keys}); err != nil {
			return err
		}
	}
	return nil
}

func (s *mongoStore) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), mongoTimeout)
	defer cancel()
	return s.client.Disconnect(ctx)
}

func (s *mongoStore) Publish(ctx context.Context, g *Generation, sealed []SealedRound) error {
	if err := s.publish(ctx, g, sealed); err != nil {
		return fmt.Errorf("publish generation %d: %w", g.Number, err)
	}
	return nil
}

func (s *mongoStore) publish(ctx context.Context, g *Generation, sealed []SealedRound) error {
	current, err := s.Current(ctx)
	if err != nil {
		return err
	}
	if g.Number <= current {
		return ErrPublished
	}
	number, attempt := int64(g.Number), bson.NewObjectID()
	var docs []roundDoc
	for _, k := range audience.SortedRounds(g.Rounds) {
		docs = append(docs, roundDocs(attempt, number, k, g.Rounds[k])...)
	}
	if err := insertMany(ctx, s.rounds, docs); err != nil {
		return err
	}
	var seals []roundDoc
	for i := range sealed {
		parts := roundDocs(attempt, number, sealed[i].Key, sealed[i].Round)
		parts[0].SealedAt, parts[0].Certificate = int64(sealed[i].SealedAt), sealed[i].Certificate
		seals = append(seals, parts...)
	}
	if err := insertMany(ctx, s.sealed, seals); err != nil {
		return err
	}
	header := generationDocOf(g, attempt)
	header.Rounds = len(docs)
	if _, err := s.generations.InsertOne(ctx, header); err != nil {
		return err
	}
	_, err = s.pointer.InsertOne(ctx, pointerDoc{number, attempt, len(sealed)})
	if mongo.IsDuplicateKeyError(err) {
		// A retry of the driver's, or another publisher.
		if p, readErr := s.point(ctx, g.Number); readErr == nil && p.Attempt == attempt {
			return nil
		}
		return ErrPublished
	}
	return err
}

func insertMany(ctx context.Context, c *mongo.Collection, docs []roundDoc) error {
	for from := 0; from < len(docs); {
		to, bytes := from, 0
		for to < len(docs) && (to == from || bytes < insertBytes) {
			bytes += len(docs[to].Series) + len(docs[to].Certificate) + 8*len(docs[to].Votes) + 200
			to++
		}
		if _, err := c.InsertMany(ctx, docs[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// Expire drops headers before rounds, so that a reader who finds a header can
// tell that rounds are missing.
func (s *mongoStore) Expire(ctx context.Context, below uint64) error {
	current, err := s.Current(ctx)
	if err != nil {
		return err
	}
	below = min(below, current)
	if err := s.expire(ctx, int64(below), int64(current)); err != nil {
		return fmt.Errorf("expire generations below %d: %w", below, err)
	}
	return nil
}

func (s *mongoStore) expire(ctx context.Context, below, current int64) error {
	older := bson.D{{Key: "number", Value: bson.D{{Key: "$lt", Value: below}}}}
	for _, c := range []*mongo.Collection{s.generations, s.rounds} {
		if _, err := c.DeleteMany(ctx, older); err != nil {
			return err
		}
	}
	// Pointers of seals stay: Sealed follows them.
	if _, err := s.pointer.DeleteMany(ctx, bson.D{
		{Key: "_id", Value: bson.D{{Key: "$lt", Value: below}}}, {Key: "seals", Value: 0},
	}); err != nil {
		return err
	}
	for number := below; number <= current; number++ {
		if err := s.dropLosers(ctx, number); err != nil {
			return err
		}
	}
	return s.sweep(ctx, current)
}

// dropLosers removes what interrupted or beaten publishers of a published
// number left.
func (s *mongoStore) dropLosers(ctx context.Context, number int64) error {
	p, err := s.point(ctx, uint64(number))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	not := bson.D{{Key: "$ne", Value: p.Attempt}}
	if _, err := s.generations.DeleteMany(ctx, bson.D{{Key: "number", Value: number}, {Key: "_id", Value: not}}); err != nil {
		return err
	}
	for _, c := range []*mongo.Collection{s.rounds, s.sealed} {
		if _, err := c.DeleteMany(ctx, bson.D{{Key: "number", Value: number}, {Key: "attempt", Value: not}}); err != nil {
			return err
		}
	}
	return nil
}
