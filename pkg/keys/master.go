package keys

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ParseMaster reads a master secret written as 64 hexadecimal digits or as
// base64 of 32 bytes.
func ParseMaster(text string) ([]byte, error) {
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == MasterSize {
		return raw, nil
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := enc.DecodeString(text); err == nil && len(raw) == MasterSize {
			return raw, nil
		}
	}
	return nil, fmt.Errorf("the master secret must be %d bytes, as hexadecimal or base64", MasterSize)
}

// LoadMaster reads the master secret from a file of raw bytes, and makes it with
// mode 0600 when there is none. Whoever has the file can forge voters: keep it
// like a private key, and keep it, for without it the tokens, receipts and
// pseudonyms of before are void.
func LoadMaster(path string) ([]byte, error) {
	secret, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createMaster(path)
	case err != nil:
		return nil, fmt.Errorf("read the master secret: %w", err)
	case len(secret) != MasterSize:
		return nil, fmt.Errorf("the master secret in %s has %d bytes instead of %d: restore the file from a backup", path, len(secret), MasterSize)
	}
	return secret, nil
}

func createMaster(path string) ([]byte, error) {
	secret := make([]byte, MasterSize)
	_, _ = rand.Read(secret)                                 // never fails
	f, err := os.CreateTemp(filepath.Dir(path), ".master-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("create the master secret: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(secret)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return nil, fmt.Errorf("write the master secret: %w", err)
	}
	// Link and not rename: the first of two processes wins, and both use its file.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return LoadMaster(path)
	} else if err != nil {
		return nil, fmt.Errorf("create the master secret: %w", err)
	}
	return secret, nil
}
