package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// What the program is told of a viewer and must not keep as text.
const (
	strangersAddress = "203.0.113.77"
	strangersPhone   = "+5511987654321"
)

// secrets are the tokens and keys that were handed out.
type secrets struct {
	mu  sync.Mutex
	all []string
}

func (s *secrets) keep(secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, secret)
	return secret
}

// noSecretStands looks for every secret as text in the data folder and in what
// the program said.
func noSecretStands(t *testing.T, c *customer) {
	t.Helper()
	info, err := os.Stat(filepath.Join(c.process.Data, "admin.token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("admin.token: %v %v, want mode 0600", info, err)
	}
	master, err := os.ReadFile(filepath.Join(c.process.Data, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	needles := [][]byte{[]byte(c.token), []byte(hex.EncodeToString(master)), []byte(base64.StdEncoding.EncodeToString(master)), []byte(strangersAddress), []byte(strangersPhone)}
	for _, s := range c.secrets.all {
		if s != "" {
			needles = append(needles, []byte(s))
		}
	}
	files := 0
	err = filepath.WalkDir(filepath.Dir(c.process.Data), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "admin.token" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, n := range needles {
			if bytes.Contains(text, n) {
				t.Errorf("%s holds the secret %.12s…", path, n)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d secrets are in none of %d files", len(needles), files)
}
