package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var segment = regexp.MustCompile(`^(ballots|posts)/epoch=\d+/partition=\d+\.parquet$`)

// recounted: what was verified is recounted from the archive alone.
func recounted(t *testing.T, c *customer) {
	t.Helper()
	archive := filepath.Join(c.process.Data, "archive")
	found, err := filepath.Glob(filepath.Join(archive, "ballots", "*", "*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no archive: %v", err)
	}
	for _, path := range found {
		if name, _ := filepath.Rel(archive, path); !segment.MatchString(filepath.ToSlash(name)) {
			t.Errorf("%s in the archive", name)
		}
	}
	certificate := c.get(t, "/v1/polls/verified/certificate?round=1").is(t, 200, "").body
	file := filepath.Join(t.TempDir(), "certificate.json")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"--round", "1"}, {"--certificate", file}} {
		args = append([]string{"recount", "--archive", archive, "--poll", "verified"}, args...)
		out, err := exec.CommandContext(t.Context(), c.process.Binary, args...).CombinedOutput()
		if err != nil || !regexp.MustCompile(`\bMATCH\b`).Match(out) {
			t.Errorf("%v: %v\n%s", args[1:], err, out)
		}
	}
	forged := regexp.MustCompile(`"votes": ?\[?3`).ReplaceAll(certificate, []byte(`"votes":[4`))
	forged = append([]byte(nil), forged...)
	forged[len(forged)/2] ^= 1
	if err := os.WriteFile(file, forged, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), c.process.Binary, "recount", "--archive", archive, "--poll", "verified", "--certificate", file).CombinedOutput(); err == nil {
		t.Errorf("a forged certificate passes:\n%s", out)
	}
}
