package views

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// keptRuns bounds the history of runs: a week of one a minute.
const keptRuns = 10_000

func (s *boltStore) SaveRun(ctx context.Context, run Run) error {
	return s.update(ctx, "save run "+run.ID, func(tx *bbolt.Tx) error {
		body, err := json.Marshal(run)
		if err != nil {
			return err
		}
		runs, order := tx.Bucket(boltRuns), tx.Bucket(boltOrder)
		if runs.Get([]byte(run.ID)) == nil {
			place, err := order.NextSequence()
			if err != nil {
				return err
			}
			if err := order.Put(numberKey(place), []byte(run.ID)); err != nil {
				return err
			}
			if err := forgetRun(runs, order, place); err != nil {
				return err
			}
		}
		return runs.Put([]byte(run.ID), body)
	})
}

func forgetRun(runs, order *bbolt.Bucket, place uint64) error {
	if place <= keptRuns {
		return nil
	}
	old := numberKey(place - keptRuns)
	id := order.Get(old)
	if id == nil {
		return nil
	}
	return errors.Join(runs.Delete(id), order.Delete(old))
}

func (s *boltStore) Run(ctx context.Context, id string) (run Run, err error) {
	err = s.view(ctx, "read run "+id, func(tx *bbolt.Tx) error {
		run, err = boltRun(tx, []byte(id))
		return err
	})
	return run, err
}

func boltRun(tx *bbolt.Tx, id []byte) (run Run, err error) {
	body := tx.Bucket(boltRuns).Get(id)
	if body == nil {
		return Run{}, ErrNotFound
	}
	if err := json.Unmarshal(body, &run); err != nil {
		return Run{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return run, nil
}

func (s *boltStore) Runs(ctx context.Context, limit int) (list []Run, err error) {
	err = s.view(ctx, "list runs", func(tx *bbolt.Tx) error {
		c := tx.Bucket(boltOrder).Cursor()
		for k, id := c.Last(); k != nil && len(list) < limit; k, id = c.Prev() {
			run, err := boltRun(tx, id)
			if err != nil {
				return err
			}
			list = append(list, run)
		}
		return nil
	})
	return list, err
}
