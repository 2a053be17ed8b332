// Package enrichtest finds the public data that tests and benchmarks use: posts
// that people really wrote, and what the models are trained on. They stand beside
// the project, or where CLAMOR_SHARED_DATA says; a test that needs them is
// skipped where they are absent.
package enrichtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Data is the folder of public data.
func Data(t testing.TB) string {
	t.Helper()
	root := os.Getenv("CLAMOR_SHARED_DATA")
	if root == "" {
		root = filepath.Join(project(t), "..", "shared", "data")
	}
	if _, err := os.Stat(root); err != nil { //nolint:gosec // whoever runs the tests names the folder
		t.Skip("the shared data are absent: " + err.Error())
	}
	return root
}

// project is the folder of go.work, above the package under test.
func project(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			t.Skip("the shared data are absent: there is no go.work above " + dir)
		}
	}
}

// WorldCupFile is a file of 5,000 posts of the opening match of the World Cup of
// 2022, Qatar against Ecuador, in the order in which they were written.
func WorldCupFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(Data(t), "posts", "worldcup_opening_day.ndjson")
}

// WorldCup is the file's lines.
func WorldCup(t testing.TB) [][]byte {
	t.Helper()
	b, err := os.ReadFile(WorldCupFile(t))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(b), []byte("\n"))
}
