package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMetrics(t *testing.T) {
	out := []byte(`goos: linux
BenchmarkFold/group=1-2    	 3	 12 ns/op	 150000 ballots/s	 200000.5 ballots/s/core
BenchmarkFold/group=10-2   	 3	 300000 ballots/s/core
PASS
`)
	got := metrics(out, "ballots/s/core")
	if diff := cmp.Diff(map[string]float64{"BenchmarkFold/group=1-2": 200000.5, "BenchmarkFold/group=10-2": 300000}, got); diff != "" {
		t.Error(diff)
	}
	if name, v := best(got, "group=10"); name != "BenchmarkFold/group=10-2" || v != 300000 {
		t.Errorf("%s %v", name, v)
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	printTable(&out, []row{{what: "x", least: "1", goal: "2", got: "3", ok: true, note: "n"}, {what: "y", got: "0"}})
	for _, want := range []string{"| x | 1 | 2 | 3 | met |", "| y |  |  | 0 | **missed** |", "- x: n", "- machine: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
}
