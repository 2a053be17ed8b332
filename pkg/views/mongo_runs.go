package views

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

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
