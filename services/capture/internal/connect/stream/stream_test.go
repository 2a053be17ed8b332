package stream

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// into is an Outlet that hands batches to a function.
type into func(context.Context, connect.Batch) error

func (f into) Deliver(ctx context.Context, b connect.Batch) error { return f(ctx, b) }
func (f into) Streaming()                                         {}
func (f into) Spend(context.Context, int64) error                 { return nil }

// of is a stream of numbers from a channel; its place is the last number.
func of(messages <-chan string) *Stream {
	place := connect.Place("")
	return &Stream{
		Next: func(ctx context.Context) ([]byte, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case m, ok := <-messages:
				if !ok {
					return nil, io.EOF
				}
				return []byte(m), nil
			}
		},
		Take: func(m []byte, b *connect.Batch) error {
			if string(m) == "end" {
				return errors.New("asked to end")
			}
			if _, err := strconv.Atoi(string(m)); err != nil {
				Malformed(b, err)
				return nil
			}
			place = connect.Place(m)
			Add(b, &audience.Post{ID: string(m), Author: audience.Author{ID: "u"}}, time.Unix(1, 0))
			return nil
		},
		Place: func() connect.Place { return place },
		Quiet: time.Minute,
	}
}

func TestWhatCameMeanwhileTravelsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := make(chan string, 10)
		messages <- "1"
		var got []string
		err := of(messages).Run(t.Context(), into(func(_ context.Context, b connect.Batch) error {
			if len(got) == 0 {
				for _, m := range []string{"2", "", "x", "3"} {
					messages <- m
				}
				close(messages)
				synctest.Wait() // for the reader
			}
			var ids []string
			for _, p := range b.Posts {
				ids = append(ids, p.ID)
			}
			got = append(got, strings.Join(ids, " ")+" behind "+string(b.Behind)+" bad "+strconv.Itoa(b.Malformed))
			return nil
		}))
		if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Join(got, "; ") != "1 behind 1 bad 0; 2 3 behind 3 bad 1" {
			t.Error(err, got)
		}
	})
}

func TestHeartbeatsAreNotDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := make(chan string)
		go func() {
			for range 5 {
				time.Sleep(50 * time.Second)
				messages <- ""
			}
		}()
		begun := time.Now()
		err := of(messages).Run(t.Context(), into(func(context.Context, connect.Batch) error {
			t.Error("a heartbeat is delivered")
			return nil
		}))
		if !errors.Is(err, connect.ErrStalled) || time.Since(begun) != 310*time.Second {
			t.Error(err, time.Since(begun))
		}
	})
}

func TestAPlatformThatAnswersIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		s := of(make(chan string))
		s.Ask = func(context.Context) error {
			if asked++; asked < 4 {
				return nil
			}
			return context.DeadlineExceeded
		}
		if err := s.Run(t.Context(), into(nil)); !errors.Is(err, connect.ErrStalled) || asked != 4 {
			t.Error(err, asked)
		}
	})
}

func TestEndings(t *testing.T) {
	full := errors.New("the log is away")
	for name, c := range map[string]struct {
		messages  []string
		deliver   error
		delivered int
		want      string
	}{
		"closed":  {[]string{"1", "2"}, nil, 2, "the platform closed the stream: unexpected EOF"},
		"by Take": {[]string{"1", "end", "2"}, nil, 1, "asked to end"},
		"full":    {[]string{"1"}, full, 0, full.Error()},
	} {
		synctest.Test(t, func(t *testing.T) {
			messages := make(chan string, 10)
			for _, m := range c.messages {
				messages <- m
			}
			close(messages)
			delivered := 0
			err := of(messages).Run(t.Context(), into(func(_ context.Context, b connect.Batch) error {
				if c.deliver == nil {
					delivered += len(b.Posts)
				}
				return c.deliver
			}))
			if err == nil || err.Error() != c.want || delivered != c.delivered {
				t.Errorf("%s: %v after %d posts", name, err, delivered)
			}
		})
	}
}

func TestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		messages := make(chan string, 200)
		for range 200 {
			messages <- "1" // more than the queue holds: the reader waits, too
		}
		err := of(messages).Run(ctx, into(func(ctx context.Context, _ connect.Batch) error {
			cancel()
			return ctx.Err()
		}))
		if err != nil {
			t.Error(err)
		}
	})
}
