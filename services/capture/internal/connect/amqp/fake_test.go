package amqp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// stored is a message in the fake's queue.
type stored struct {
	id    string // message-id
	at    int64  // timestamp
	body  string
	again bool
}

// fake is a broker with one queue.
type fake struct {
	t        *testing.T
	listener net.Listener
	wg       sync.WaitGroup

	mu       sync.Mutex
	password string
	code     uint16 // what the next connection is refused with
	waiting  []*stored
	dead     []string      // bodies rejected for good
	settled  int           // acknowledged
	news     chan struct{} // closed when something was settled
	last     *stored
	sessions map[*session]bool
	said     int
}

func newFake(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, listener: l, password: "secret", sessions: map[*session]bool{}, news: make(chan struct{})}
	f.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.wg.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		f.each(func(s *session) { _ = s.conn.Close() })
		f.wg.Wait()
	})
	return f
}

func (f *fake) each(do func(*session)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.sessions {
		do(s)
	}
}

func (f *fake) settings() map[string]any {
	return map[string]any{"url": "amqp://clamor:secret@" + f.listener.Addr().String() + "/tv", "queue": "posts", "prefetch": 10.0, "heartbeat": 1.0}
}

func (f *fake) Connector(env connect.Env) (connect.Connector, error) { return New(f.settings(), env) }

func (f *fake) Resends() {}

func (f *fake) put(all ...*stored) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, all...)
	f.last = all[len(all)-1]
	f.push()
}

func (f *fake) say(text string, at time.Time) {
	f.mu.Lock()
	f.said++
	id := f.said
	f.mu.Unlock()
	f.put(&stored{body: fmt.Sprintf(`{"id":"%d","platform":"wire","text":%q,"created_at":%q,"author":{"id":"a"}}`, id, text, at.Format(time.RFC3339))})
}

func (f *fake) Say(texts ...string) {
	for _, text := range texts {
		f.say(text, time.Now())
	}
}

func (f *fake) Late(text string) { f.say(text, time.Now().Add(-time.Hour)) }
func (f *fake) Malformed()       { f.put(&stored{body: `{"id":`}) }

func (f *fake) Duplicate() {
	f.mu.Lock()
	again := *f.last
	f.mu.Unlock()
	f.put(&again)
}

// Disconnect breaks off in the middle of a delivery.
func (f *fake) Disconnect() {
	f.each(func(s *session) {
		whole := encodeDelivery(1, s.consumer, s.tag+1, &stored{body: `{"id":"half"}`})
		s.write(whole[:len(whole)-5])
		_ = s.conn.Close()
	})
}

func (f *fake) Fail() { f.refuse(541) }

func (f *fake) refuse(code uint16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code = code
}

func (f *fake) Expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.password = "another"
}

// Stall falls silent, heartbeats included.
func (f *fake) Stall() { f.each(func(s *session) { s.silent = true }) }

// push sends what waits to those who have room. The caller holds the lock.
func (f *fake) push() {
	for s := range f.sessions {
		for len(f.waiting) > 0 && s.consumer != "" && !s.silent && len(s.unsettled) < s.prefetch {
			m := f.waiting[0]
			f.waiting = f.waiting[1:]
			s.tag++
			s.unsettled[s.tag] = m
			s.write(encodeDelivery(1, s.consumer, s.tag, m))
		}
	}
}

// settle ends the delivery of a message, or of all up to it.
func (f *fake) settle(s *session, tag uint64, multiple, rejected bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for t, m := range s.unsettled {
		switch {
		case t != tag && (!multiple || t > tag):
			continue
		case rejected:
			f.dead = append(f.dead, m.body)
		default:
			f.settled++
		}
		delete(s.unsettled, t)
	}
	close(f.news)
	f.news = make(chan struct{})
	f.push()
}

// leave puts back what a connection had not settled.
func (f *fake) leave(s *session) {
	_ = s.conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sessions, s)
	var back []*stored
	for tag := uint64(1); tag <= s.tag; tag++ {
		if m := s.unsettled[tag]; m != nil {
			m.again = true
			back = append(back, m)
		}
	}
	f.waiting = slices.Concat(back, f.waiting)
	f.push()
}

// session is one connection; the fake's lock is its own.
type session struct {
	conn      net.Conn
	consumer  string
	prefetch  int
	tag       uint64
	unsettled map[uint64]*stored
	silent    bool
}

func (s *session) write(b []byte) { _, _ = s.conn.Write(b) } // the reader notices

func (f *fake) serve(conn net.Conn) {
	s := &session{conn: conn, unsettled: map[uint64]*stored{}, prefetch: 1}
	f.mu.Lock()
	f.sessions[s] = true
	f.mu.Unlock()
	defer f.leave(s)
	in := bufio.NewReader(conn)
	hello := make([]byte, 8)
	if _, err := io.ReadFull(in, hello); err != nil || string(hello) != "AMQP\x00\x00\x09\x01" {
		return
	}
	s.write(encodeMethod(0, connectionStart, func(w *writer) {
		w.octet(0)
		w.octet(9)
		w.long(0) // no properties
		w.longText("PLAIN AMQPLAIN")
		w.longText("en_US")
	}))
	beat := time.NewTicker(300 * time.Millisecond)
	done := make(chan struct{})
	f.wg.Go(func() {
		defer beat.Stop()
		for {
			select {
			case <-done:
				return
			case <-beat.C:
				f.mu.Lock()
				if s.consumer != "" && !s.silent {
					s.write(encode(frameHeartbeat, 0, nil))
				}
				f.mu.Unlock()
			}
		}
	})
	defer close(done)
	for {
		fr, err := readFrame(in)
		if err != nil {
			return
		}
		if fr.kind == frameMethod && !f.answer(s, fr) {
			return
		}
	}
}

// answer takes one method of the client's.
func (f *fake) answer(s *session, fr frame) (goOn bool) {
	a := &arguments{fr.payload}
	m := method(a.long())
	f.mu.Lock()
	password, code, silent := f.password, f.code, s.silent
	f.mu.Unlock()
	if silent {
		return true
	}
	reply := func(m method, arguments func(*writer)) { s.write(encodeMethod(fr.channel, m, arguments)) }
	refuse := func(m method, code uint16, why string) {
		reply(m, func(w *writer) { w.short(code); w.text(why); w.short(0); w.short(0) })
	}
	switch m {
	case connectionStartOk:
		a.longText() // properties
		mechanism, response := a.text(), a.longText()
		if mechanism != "PLAIN" || response != "\x00clamor\x00"+password {
			refuse(connectionClose, 403, "ACCESS_REFUSED - Login was refused")
			return true
		}
		reply(connectionTune, func(w *writer) { w.short(2047); w.long(4096); w.short(60) })
	case connectionOpen:
		switch vhost := a.text(); {
		case code != 0:
			f.refuse(0)
			refuse(connectionClose, code, "by order of the test")
		case vhost != "tv":
			refuse(connectionClose, 530, "NOT_ALLOWED - vhost "+vhost+" not found")
		default:
			reply(connectionOpenOk, func(w *writer) { w.text("") })
		}
	case channelOpen:
		reply(channelOpenOk, func(w *writer) { w.longText("") })
	case basicQos:
		a.long()
		f.mu.Lock()
		s.prefetch = int(a.short())
		f.mu.Unlock()
		reply(basicQosOk, nil)
	case basicConsume:
		a.short()
		queue, tag := a.text(), a.text()
		if queue != "posts" {
			refuse(channelClose, 404, "NOT_FOUND - no queue '"+queue+"'")
			return true
		}
		reply(basicConsumeOk, func(w *writer) { w.text(tag) })
		f.mu.Lock()
		s.consumer = tag
		f.push()
		f.mu.Unlock()
	case basicAck:
		f.settle(s, a.longLong(), a.octet() != 0, false)
	case basicReject:
		f.settle(s, a.longLong(), false, true)
	case channelClose:
		reply(channelCloseOk, nil)
	case connectionClose:
		reply(connectionCloseOk, nil)
		return false
	case connectionTuneOk, connectionCloseOk, channelCloseOk:
	default:
		f.t.Errorf("the client said %d.%d", m>>16, m&0xffff)
		return false
	}
	return m != connectionCloseOk
}
