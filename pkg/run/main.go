package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit is an error that ends the process with a code of its own. With a nil
// cause nothing is printed: the program has said all there is to say.
type Exit struct {
	Code  int
	Cause error
}

// Error is the cause's text.
func (e *Exit) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Cause.Error()
}

// Unwrap is the cause.
func (e *Exit) Unwrap() error { return e.Cause }

// Main runs f until it returns, with a context that SIGTERM and SIGINT cancel,
// and ends the process: 0 on nil, an Exit's code, else 1. A second signal ends
// it at once.
func Main(f func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from here on the signal has its usual effect
	code := Code(f(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr)
	stop()
	os.Exit(code)
}

// Code is the exit status err asks for; its text goes to stderr.
func Code(err error, stderr io.Writer) int {
	var exit *Exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.Cause != nil {
			fmt.Fprintln(stderr, exit.Cause)
		}
		return exit.Code
	default:
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
}
