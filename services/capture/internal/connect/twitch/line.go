package twitch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	// maxLine bounds a message: 8191 bytes of tags (IRCv3) and 512 more, twice,
	// for Twitch is generous.
	maxLine = 16 << 10
	writing = 5 * time.Second
	// sign tells our pings from others.
	sign = "clamor"
)

// line is a connection that speaks IRC.
type line struct {
	conn net.Conn
	in   *bufio.Reader
	pong chan struct{}
}

func newLine(conn net.Conn) *line {
	return &line{conn: conn, in: bufio.NewReaderSize(conn, maxLine), pong: make(chan struct{}, 1)}
}

// next is the next message without its end, cut to maxLine and one byte more; or
// nothing, for a ping, which it answered, or a pong. A message that is broken off
// is none.
func (l *line) next() ([]byte, error) {
	text, err := l.read()
	if err != nil {
		return nil, err
	}
	command := text
	if bytes.HasPrefix(command, []byte(":")) {
		_, command, _ = bytes.Cut(command, []byte(" "))
	}
	command, rest, _ := bytes.Cut(command, []byte(" "))
	switch string(command) {
	case "PING":
		return nil, l.write("PONG " + string(rest[:min(len(rest), 256)]) + "\r\n")
	case "PONG":
		select {
		case l.pong <- struct{}{}:
		default:
		}
		return nil, nil
	}
	return text, nil
}

func (l *line) read() ([]byte, error) {
	part, err := l.in.ReadSlice('\n')
	text := bytes.Clone(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = l.in.ReadSlice('\n')
		text = append(text, part[:min(len(part), maxLine+1-min(len(text), maxLine+1))]...)
	}
	if err != nil {
		return nil, err
	}
	if len(text) > maxLine {
		return text, nil
	}
	return bytes.TrimRight(text, "\r\n"), nil
}

func (l *line) write(text string) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(writing)); err != nil {
		return err
	}
	_, err := l.conn.Write([]byte(text))
	return err
}

// ping asks for a sign of life, while next is called elsewhere.
func (l *line) ping(ctx context.Context, patience time.Duration) error {
	select {
	case <-l.pong: // of an earlier ping
	default:
	}
	if err := l.write("PING :" + sign + "\r\n"); err != nil {
		return err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-l.pong:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return connect.ErrStalled
	}
}
