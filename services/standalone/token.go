package standalone

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/internal/process"
)

func adminTokenPath(data string) string { return filepath.Join(data, "admin.token") }

// adminToken is the credential of the data folder's owner: made on the first
// start, and made again when its file was removed, which is the way back in for
// who lost every token. A token that was revoked stays revoked.
func adminToken(ctx context.Context, data string, r process.Registry) error {
	token, fresh, err := loadAdminToken(adminTokenPath(data))
	if err != nil {
		return err
	}
	if !fresh && r.State().Offset() > 0 {
		return nil
	}
	return process.RegisterAdmin(ctx, r, token)
}

func loadAdminToken(path string) (token string, fresh bool, err error) {
	text, err := os.ReadFile(path)
	switch {
	case err == nil && strings.TrimSpace(string(text)) != "":
		return strings.TrimSpace(string(text)), false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", false, fmt.Errorf("read the admin's token: %w", err)
	}
	token = keys.NewToken("ca_")
	if err := writeSecret(path, token+"\n"); err != nil {
		return "", false, fmt.Errorf("write the admin's token: %w", err)
	}
	return token, true, nil
}

// writeSecret appears whole or not at all, for the owner's eyes only.
func writeSecret(path, text string) error {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(part, path)
}
