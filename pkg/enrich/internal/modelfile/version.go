package modelfile

import (
	"crypto/sha256"
	"encoding/hex"
)

// Version names a model file by its contents.
func Version(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:6])
}
