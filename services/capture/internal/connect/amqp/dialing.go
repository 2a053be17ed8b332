package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	// connectWait is how long a broker may take to answer at the beginning.
	connectWait = 15 * time.Second
	// closeWait is how long it may take at the end, when it need not answer.
	closeWait = 300 * time.Millisecond
)

// dialing makes one connection that a context ends, and knows whether it stalled:
// the client's error does not say so.
type dialing struct {
	ctx     context.Context // the client's dial function has none
	conn    net.Conn
	unwatch func() bool
	stalled atomic.Bool
}

func (d *dialing) dial(network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectWait}
	conn, err := dialer.DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(connectWait)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	d.conn = conn
	// A broker that takes nothing must not keep us from ending.
	d.unwatch = context.AfterFunc(d.ctx, func() { _ = conn.SetDeadline(time.Now().Add(closeWait)) })
	return &watched{Conn: conn, stalled: &d.stalled}, nil
}

func (d *dialing) stop() {
	if d.unwatch != nil {
		d.unwatch()
	}
}

func (d *dialing) close() {
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

// why adds to a failure that the connection stood still before it.
func (d *dialing) why(err error) error {
	if d.stalled.Load() {
		return fmt.Errorf("%w: %w", connect.ErrStalled, err)
	}
	return err
}

// watched is a connection that notes when nothing came in time.
type watched struct {
	net.Conn
	stalled *atomic.Bool
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.stalled.Store(true)
	}
	return n, err
}
