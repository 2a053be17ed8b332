// Package recount counts a round again from the archive alone and says whether
// the certificate is right.
package recount

import (
	"context"
	"io"
)

// Exit codes of Run.
const (
	Match      = 0
	Difference = 1
	Unknown    = 2
)

// Run is `clamor recount`: --archive DIR --poll ID [--round N] [--certificate
// FILE] [--public-key KEY]. It returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int { return Unknown }
