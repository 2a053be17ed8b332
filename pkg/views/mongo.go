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
	"github.com/clamor-live/clamor/pkg/tally"
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

type pointerDoc struct {
	Number  int64         `bson:"_id"`
	Attempt bson.ObjectID `bson:"attempt"`
	Seals   int           `bson:"seals"`
}

type generationDoc struct {
	Attempt bson.ObjectID `bson:"_id"`
	Number  int64         `bson:"number"`
	// Rounds is how many documents the rounds take: fewer are left of a
	// generation that is just expiring.
	Rounds        int        `bson:"rounds"`
	CreatedAt     int64      `bson:"created_at"`
	Run           string     `bson:"run"`
	Partitions    []cutDoc   `bson:"partitions"`
	FloorEpoch    int64      `bson:"floor_epoch"`
	Rows          int64      `bson:"rows"`
	Agreed        string     `bson:"agreed"`
	Differences   []string   `bson:"differences,omitempty"`
	LateAfterSeal []roundDoc `bson:"late_after_seal,omitempty"`
	Seals         []keyDoc   `bson:"seals,omitempty"`
	Topics        []topicDoc `bson:"topics,omitempty"`
	Build         string     `bson:"build,omitempty"`
	PostCuts      []cutDoc   `bson:"post_partitions,omitempty"`
	PostRows      int64      `bson:"post_rows,omitempty"`
	Unheard       int64      `bson:"unheard,omitempty"`
	Searched      int64      `bson:"searched,omitempty"`
}

type topicDoc struct {
	Topic       string `bson:"topic"`
	Revision    int64  `bson:"revision"`
	Fingerprint string `bson:"fingerprint"`
	Manifest    []byte `bson:"manifest"`
	Complete    bool   `bson:"complete"`
}

func (d *generationDoc) topics() []TopicRef {
	var refs []TopicRef
	for _, t := range d.Topics {
		ref := TopicRef{Topic: t.Topic, Revision: uint64(t.Revision), Fingerprint: t.Fingerprint, Complete: t.Complete}
		copy(ref.Manifest[:], t.Manifest)
		refs = append(refs, ref)
	}
	return refs
}

type cutDoc struct {
	Partition int32 `bson:"partition"`
	Offset    int64 `bson:"offset"`
	Floor     int64 `bson:"floor"`
}

type keyDoc struct {
	Poll  string `bson:"poll"`
	Round int64  `bson:"round"`
}

// roundDoc is a round, or a further part of its series.
type roundDoc struct {
	ID         bson.ObjectID `bson:"_id,omitempty"`
	Attempt    bson.ObjectID `bson:"attempt,omitempty"`
	Number     int64         `bson:"number,omitempty"`
	Poll       string        `bson:"poll"`
	Round      int64         `bson:"round"`
	Part       int           `bson:"part,omitempty"`
	Votes      []int64       `bson:"votes,omitempty"`
	Sums       []int64       `bson:"sums,omitempty"`
	Voters     int64         `bson:"voters,omitempty"`
	Late       int64         `bson:"late,omitempty"`
	Duplicates int64         `bson:"duplicates,omitempty"`
	Limit      int64         `bson:"limit,omitempty"`
	Revoked    int64         `bson:"revoked,omitempty"`
	Superseded int64         `bson:"superseded,omitempty"`
	// Series is compact: see appendSeries.
	Series []byte `bson:"series,omitempty"`
	// SealedAt and Certificate are a sealed round's.
	SealedAt    int64  `bson:"sealed_at,omitempty"`
	Certificate []byte `bson:"certificate,omitempty"`
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
	for _, k := range Keys(g.Rounds) {
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

func roundDocs(attempt bson.ObjectID, number int64, k audience.RoundKey, r *tally.Round) []roundDoc {
	if r == nil {
		r = &tally.Round{}
	}
	series := appendSeries(nil, r.Series)
	first := roundDoc{
		ID: bson.NewObjectID(), Attempt: attempt, Number: number, Poll: k.Poll, Round: int64(k.Round),
		Votes: r.Votes, Sums: r.Sums, Voters: r.Voters, Late: r.Late, Duplicates: r.Duplicates,
		Limit: r.Limit, Revoked: r.Revoked, Superseded: r.Superseded,
		Series: series[:min(len(series), seriesPart)],
	}
	docs := []roundDoc{first}
	for from := seriesPart; from < len(series); from += seriesPart {
		docs = append(docs, roundDoc{
			ID: bson.NewObjectID(), Attempt: attempt, Number: number, Poll: k.Poll, Round: int64(k.Round),
			Part: len(docs), Series: series[from:min(len(series), from+seriesPart)],
		})
	}
	return docs
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

func generationDocOf(g *Generation, attempt bson.ObjectID) generationDoc {
	d := generationDoc{
		Attempt: attempt, Number: int64(g.Number), CreatedAt: int64(g.CreatedAt), Run: g.Run,
		FloorEpoch: int64(g.FloorEpoch), Rows: g.Rows, Agreed: g.Agreed, Differences: g.Differences,
		Build: g.Build, PostRows: g.PostRows, Unheard: int64(g.Unheard), Searched: int64(g.Searched),
	}
	for p, offset := range g.Offsets {
		d.Partitions = append(d.Partitions, cutDoc{p, offset, g.Floors[p]})
	}
	for _, k := range Keys(g.LateAfterSeal) {
		d.LateAfterSeal = append(d.LateAfterSeal, roundDoc{Poll: k.Poll, Round: int64(k.Round), Late: g.LateAfterSeal[k]})
	}
	for _, k := range g.Seals {
		d.Seals = append(d.Seals, keyDoc{k.Poll, int64(k.Round)})
	}
	for i := range g.Topics {
		t := &g.Topics[i]
		d.Topics = append(d.Topics, topicDoc{t.Topic, int64(t.Revision), t.Fingerprint, t.Manifest[:], t.Complete})
	}
	for p, offset := range g.PostOffsets {
		d.PostCuts = append(d.PostCuts, cutDoc{Partition: p, Offset: offset})
	}
	return d
}

func (d *generationDoc) generation() *Generation {
	g := &Generation{
		Number: uint64(d.Number), CreatedAt: audience.Millis(d.CreatedAt), Run: d.Run,
		FloorEpoch: uint64(d.FloorEpoch), Rows: d.Rows, Agreed: d.Agreed, Differences: d.Differences,
		Offsets: map[int32]int64{}, Floors: map[int32]int64{},
		Rounds: tally.View{}, LateAfterSeal: map[audience.RoundKey]int64{},
		Topics: d.topics(), Build: d.Build, PostOffsets: map[int32]int64{}, PostRows: d.PostRows, Unheard: uint64(d.Unheard), Searched: uint64(d.Searched),
	}
	for _, p := range d.PostCuts {
		g.PostOffsets[p.Partition] = p.Offset
	}
	for _, p := range d.Partitions {
		g.Offsets[p.Partition], g.Floors[p.Partition] = p.Offset, p.Floor
	}
	for i := range d.LateAfterSeal {
		g.LateAfterSeal[d.LateAfterSeal[i].key()] = d.LateAfterSeal[i].Late
	}
	for _, k := range d.Seals {
		g.Seals = append(g.Seals, audience.RoundKey{Poll: k.Poll, Round: uint32(k.Round)})
	}
	return g
}

func (d *roundDoc) key() audience.RoundKey {
	return audience.RoundKey{Poll: d.Poll, Round: uint32(d.Round)}
}

// join puts the parts of a round, in order, together.
func join(parts []roundDoc) (*tally.Round, error) {
	d := parts[0]
	r := &tally.Round{
		Votes: d.Votes, Sums: d.Sums, Voters: d.Voters, Late: d.Late, Duplicates: d.Duplicates,
		Limit: d.Limit, Revoked: d.Revoked, Superseded: d.Superseded,
	}
	var series []byte
	for i, part := range parts {
		if part.Part != i {
			return nil, fmt.Errorf("%w: part %d of %s/%d is missing", ErrDamaged, i, d.Poll, d.Round)
		}
		series = append(series, part.Series...)
	}
	dec := decoder{b: series}
	r.Series = dec.series()
	return r, dec.end()
}

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
	for from := 0; from < len(docs); {
		to := from + 1
		for to < len(docs) && docs[to].key() == docs[from].key() {
			to++
		}
		if g.Rounds[docs[from].key()], err = join(docs[from:to]); err != nil {
			return nil, err
		}
		from = to
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
	for from := 0; from < len(docs); {
		to := from + 1
		for to < len(docs) && docs[to].Attempt == docs[from].Attempt {
			to++
		}
		d := docs[from]
		p, err := s.point(ctx, uint64(d.Number))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil && p.Attempt == d.Attempt {
			r, err := join(docs[from:to])
			return &SealedRound{
				Key: key, Generation: uint64(d.Number), SealedAt: audience.Millis(d.SealedAt), Certificate: d.Certificate, Round: r,
			}, err
		}
		from = to
	}
	return nil, ErrNotFound
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

type runDoc struct {
	ID      string `bson:"_id"`
	Started int64  `bson:"started"`
	Run     Run    `bson:"run"`
}

func (s *mongoStore) SaveRun(ctx context.Context, run Run) error {
	_, err := s.runs.ReplaceOne(ctx, bson.D{{Key: "_id", Value: run.ID}}, runDoc{run.ID, int64(run.StartedAt), run},
		options.Replace().SetUpsert(true))
	if err != nil {
		return fmt.Errorf("save run %s: %w", run.ID, err)
	}
	return nil
}

func (s *mongoStore) Run(ctx context.Context, id string) (Run, error) {
	var d runDoc
	if err := s.runs.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&d); err != nil {
		return Run{}, fmt.Errorf("read run %s: %w", id, missing(err))
	}
	return d.Run, nil
}

func (s *mongoStore) Runs(ctx context.Context, limit int) ([]Run, error) {
	if limit <= 0 {
		return nil, nil
	}
	docs, err := find[runDoc](ctx, s.runs, bson.D{}, newest("started", limit))
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	list := make([]Run, len(docs))
	for i := range docs {
		list[i] = docs[i].Run
	}
	return list, nil
}
