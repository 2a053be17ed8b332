package archive

import (
	"context"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
)

// CertificatePath is where the certificate of a sealed round lies.
func CertificatePath(key audience.RoundKey) string {
	return fmt.Sprintf("certificates/%s/round=%d.json", key.Poll, key.Round)
}

// PutCertificate writes a sealed round's certificate.
func (a *Archive) PutCertificate(ctx context.Context, key audience.RoundKey, doc []byte) error {
	return a.Put(ctx, CertificatePath(key), doc)
}

// Certificate reads a sealed round's certificate; ErrNotFound before it has one.
func (a *Archive) Certificate(ctx context.Context, key audience.RoundKey) ([]byte, error) {
	return a.Get(ctx, CertificatePath(key))
}
