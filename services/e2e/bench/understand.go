package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// understand: what a post costs from JSON to deltas, what a thousand rules add,
// and the same again from the archive and into the search engine.
func understand(ctx context.Context, _ settings) ([]row, error) {
	heard, err := goBench(ctx, "./pkg/topic", "BenchmarkHear", "posts/s", times("300000x"))
	if err != nil {
		return nil, err
	}
	_, bare := best(heard, "BenchmarkHear-")
	_, rate := best(heard, "HearAndCount")
	if rate == 0 || bare == 0 {
		return nil, errors.New("no figures: are the shared data there?")
	}
	rows := []row{{
		what: "enrichment from JSON bytes to deltas, posts/s a core", least: "50,000", goal: "100,000",
		got: fmt.Sprintf("%.0f = %.2f × understanding without counting (%.0f/s)", rate, rate/bare, bare), ok: rate >= 50_000,
		note: "three topics, one of which listens to every post",
	}}
	more := []func(context.Context) (row, error){rulesRow, hearAgainRow, searchRow}
	for _, measure := range more {
		r, err := measure(ctx)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// rulesRow is what matching costs by itself, and beside it all that a thousand
// topics with one word each of the posts' own add, counting terms included.
func rulesRow(ctx context.Context) (row, error) {
	matched, err := goBench(ctx, "./pkg/rule", "BenchmarkThousandRules", "ns/op", times("200000x"))
	if err != nil {
		return row{}, err
	}
	heard, err := goBench(ctx, "./pkg/topic", "BenchmarkRules", "ns/post", times("200000x"))
	if err != nil {
		return row{}, err
	}
	_, one := best(heard, "Rules1-")
	_, thousand := best(heard, "Rules1000-")
	_, alone := best(matched, "ThousandRules")
	cost := (thousand - one) / 1000
	return row{
		what: "1,000 rules, more a post than one rule", least: "2 µs", goal: "1 µs", got: fmt.Sprintf("%.2f µs", cost), ok: cost <= 2,
		note: fmt.Sprintf("one rule a word of the posts themselves, so that most posts match many; rules that rarely match cost %.2f µs", alone/1000),
	}, nil
}

func hearAgainRow(ctx context.Context) (row, error) {
	figures, err := goBench(ctx, "./services/batch", "BenchmarkHearAgain", "posts/core-s", times("2x"))
	if err != nil {
		return row{}, err
	}
	_, rate := best(figures, "HearAgain")
	return row{
		what: "batch re-enrichment from Parquet, posts/s a core", least: "40,000", goal: "80,000",
		got: fmt.Sprintf("%.0f", rate), ok: rate >= 40_000, note: "by processor time, pieces of the generation written",
	}, nil
}

// searchRow sets Elasticsearch's rate, where CLAMOR_TEST_ELASTICSEARCH names one,
// or else Bleve's beside what the engine does with the same documents alone.
func searchRow(ctx context.Context) (row, error) {
	engine := "Bleve"
	if os.Getenv("CLAMOR_TEST_ELASTICSEARCH") != "" {
		engine = "Elasticsearch"
	}
	figures, err := goBench(ctx, "./pkg/search", "Benchmark"+engine, "docs/s", times("2x"))
	if err != nil {
		return row{}, err
	}
	_, put := best(figures, "put")
	_, raw := best(figures, "raw")
	if raw == 0 {
		return row{}, fmt.Errorf("no figure in %v", figures)
	}
	return row{
		what: "bulk indexing (" + engine + "), posts/s", least: "0.6 × the engine alone", goal: "0.9 ×",
		got: fmt.Sprintf("%.0f = %.2f × the engine's own %.0f/s", put, put/raw, raw), ok: put >= 0.6*raw,
	}, nil
}
