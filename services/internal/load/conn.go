package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Conn is one persistent HTTP/1.1 connection that sends requests already
// rendered. It costs a fraction of what net/http's client costs, so that on a
// shared machine it is the server that is measured.
type Conn struct {
	target  *url.URL
	timeout time.Duration
	conn    net.Conn
	in      *bufio.Reader
}

// NewConn is a connection to the target's host; it dials when it is first used.
func NewConn(target *url.URL, timeout time.Duration) *Conn {
	return &Conn{target: target, timeout: timeout}
}

// Answer is a response without its headers; Body is valid until the next Do.
type Answer struct {
	Status     int
	RetryAfter string
	ETag       string
	Body       []byte
}

// Do sends a whole request and reads its answer. An error closes the connection
// and says nothing about whether the request was carried out.
func (c *Conn) Do(ctx context.Context, request []byte, scratch []byte) (Answer, error) {
	if c.conn == nil {
		if err := c.dial(ctx); err != nil {
			return Answer{}, err
		}
	}
	a, err := c.roundTrip(request, scratch)
	if err != nil {
		c.Close()
	}
	return a, err
}

func (c *Conn) dial(ctx context.Context) error {
	host := c.target.Host
	if c.target.Port() == "" {
		host = net.JoinHostPort(c.target.Hostname(), c.target.Scheme)
	}
	d := net.Dialer{Timeout: c.timeout}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	if c.target.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: c.target.Hostname(), MinVersion: tls.VersionTLS12})
	}
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 4096)
	return nil
}

func (c *Conn) roundTrip(request, scratch []byte) (Answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return Answer{}, fmt.Errorf("set deadline: %w", err)
	}
	if _, err := c.conn.Write(request); err != nil {
		return Answer{}, fmt.Errorf("send: %w", err)
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After"), ETag: resp.Header.Get("ETag")}
	if resp.ContentLength >= 0 && resp.ContentLength <= int64(cap(scratch)) {
		a.Body = scratch[:resp.ContentLength]
		_, err = io.ReadFull(resp.Body, a.Body)
	} else {
		a.Body, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	if resp.Close {
		c.Close()
	}
	return a, nil
}

// Close hangs up; the next Do dials again.
func (c *Conn) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn, c.in = nil, nil
	}
}
