package archive

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

const certificates = "certificates/"

// CertificatePath is where the certificate of a sealed round lies.
func CertificatePath(key audience.RoundKey) string {
	return fmt.Sprintf("%s%s/round=%d.json", certificates, key.Poll, key.Round)
}

// PutCertificate writes a sealed round's certificate.
func (a *Archive) PutCertificate(ctx context.Context, key audience.RoundKey, doc []byte) error {
	return a.Put(ctx, CertificatePath(key), doc)
}

// Certificate reads a sealed round's certificate; ErrNotFound before it has one.
func (a *Archive) Certificate(ctx context.Context, key audience.RoundKey) ([]byte, error) {
	return a.Get(ctx, CertificatePath(key))
}

// LatestCertificate is the last round of a poll that has a certificate, 0 when
// none has.
func (a *Archive) LatestCertificate(ctx context.Context, poll string) (uint32, error) {
	prefix := certificates + poll + "/round="
	paths, err := a.List(ctx, prefix)
	if err != nil {
		return 0, err
	}
	var latest uint32
	for _, p := range paths {
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(p, prefix), ".json"), 10, 32)
		if err == nil {
			latest = max(latest, uint32(n))
		}
	}
	return latest, nil
}

// Certificates are the paths of all of them.
func (a *Archive) Certificates(ctx context.Context) ([]string, error) {
	return a.List(ctx, certificates)
}
