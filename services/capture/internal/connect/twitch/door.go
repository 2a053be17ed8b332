package twitch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// errBarred is that no channel lets us in.
var errBarred = errors.New("the channels are barred")

// door knows the channels that have not yet let us in. It is safe for concurrent
// use.
type door struct {
	mu      sync.Mutex
	all     int
	waiting []string // asked, and not answered
	barred  []string
}

func newDoor(channels []string) *door {
	return &door{all: len(channels), waiting: slices.Clone(channels)}
}

// opened notes that a channel let us in.
func (d *door) opened(channel string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(channel)
}

// closed notes that a channel will not let us in; its error is that none does.
func (d *door) closed(channel string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(channel)
	if !slices.Contains(d.barred, channel) {
		d.barred = append(d.barred, channel)
	}
	if len(d.barred) == d.all {
		return &connect.Refused{Err: errBarred}
	}
	return nil
}

func (d *door) drop(channel string) {
	d.waiting = slices.DeleteFunc(d.waiting, func(c string) bool { return c == channel })
}

// asks are the commands that ask for the channels that are waited for, in two
// halves: a line has 512 bytes.
func (d *door) asks() (commands string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	half := (len(d.waiting) + 1) / 2
	for _, part := range [][]string{d.waiting[:half], d.waiting[half:]} {
		if len(part) > 0 {
			commands += "JOIN #" + strings.Join(part, ",#") + "\r\n"
		}
	}
	return commands
}

// knock asks again for channels that do not answer, until all did or ctx ends.
func (d *door) knock(ctx context.Context, irc *line, every time.Duration, log *slog.Logger) {
	for sleep.For(ctx, every) == nil {
		commands := d.asks()
		if commands == "" {
			return
		}
		log.Warn("channels do not answer and are asked again", "channels", strings.ReplaceAll(strings.TrimSpace(commands), "\r\n", " "))
		if irc.write(commands) != nil {
			return // whoever reads will notice
		}
	}
}
