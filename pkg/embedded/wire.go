package embedded

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc/test/bufconn"
)

// wire is where the log listens: on loopback for other processes, and within the
// process for its own clients. An append crosses it twice, and a connection that
// is memory costs no system calls and no wait for the network's poller behind
// all that a busy door is doing.
type wire struct {
	net.Listener // the loopback's

	inside *bufconn.Listener
	conns  chan net.Conn
	done   chan struct{}
	once   sync.Once
	lines  sync.WaitGroup
}

// insideBytes is the buffer of one direction of a connection; what is larger
// goes in parts.
const insideBytes = 256 << 10

func listen(network, address string) (*wire, error) {
	l, err := net.Listen(network, address) //nolint:noctx // over at once
	if err != nil {
		return nil, err
	}
	w := &wire{Listener: l, inside: bufconn.Listen(insideBytes), conns: make(chan net.Conn), done: make(chan struct{})}
	for _, line := range []net.Listener{l, w.inside} {
		w.lines.Go(func() { w.join(line) })
	}
	return w, nil
}

// join passes on what a line accepts.
func (w *wire) join(line net.Listener) {
	for {
		conn, err := line.Accept()
		if err != nil {
			return
		}
		select {
		case w.conns <- conn:
		case <-w.done:
			_ = conn.Close()
			return
		}
	}
}

// Accept gives a connection from either line.
func (w *wire) Accept() (net.Conn, error) {
	select {
	case conn := <-w.conns:
		return conn, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

// Close ends both lines.
func (w *wire) Close() (err error) {
	w.once.Do(func() {
		close(w.done)
		_ = w.inside.Close() // never fails
		err = w.Listener.Close()
		w.lines.Wait()
	})
	return err
}

// Dial reaches the log from within the process, and any other address over the
// network.
func (s *Servers) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.wire != nil && address == s.wire.Addr().String() {
		return s.wire.inside.DialContext(ctx)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
