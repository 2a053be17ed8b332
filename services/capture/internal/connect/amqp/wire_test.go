package amqp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// The part of AMQP 0-9-1 that a consumer hears and says:
// https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf

const (
	frameMethod, frameHeader, frameBody, frameHeartbeat = 1, 2, 3, 8
	frameEnd                                            = 0xCE
)

// method is a class and a method of it.
type method uint32

const (
	connectionStart   method = 10<<16 | 10
	connectionStartOk method = 10<<16 | 11
	connectionTune    method = 10<<16 | 30
	connectionTuneOk  method = 10<<16 | 31
	connectionOpen    method = 10<<16 | 40
	connectionOpenOk  method = 10<<16 | 41
	connectionClose   method = 10<<16 | 50
	connectionCloseOk method = 10<<16 | 51
	channelOpen       method = 20<<16 | 10
	channelOpenOk     method = 20<<16 | 11
	channelClose      method = 20<<16 | 40
	channelCloseOk    method = 20<<16 | 41
	basicQos          method = 60<<16 | 10
	basicQosOk        method = 60<<16 | 11
	basicConsume      method = 60<<16 | 20
	basicConsumeOk    method = 60<<16 | 21
	basicCancel       method = 60<<16 | 30
	basicDeliver      method = 60<<16 | 60
	basicAck          method = 60<<16 | 80
	basicReject       method = 60<<16 | 90
)

// frame is one of the wire.
type frame struct {
	kind    byte
	channel uint16
	payload []byte
}

func readFrame(r *bufio.Reader) (frame, error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	size := binary.BigEndian.Uint32(head[3:])
	if size > 1<<20 {
		return frame{}, errors.New("a frame is too large")
	}
	payload := make([]byte, size+1)
	if _, err := io.ReadFull(r, payload); err != nil {
		return frame{}, err
	}
	if payload[size] != frameEnd {
		return frame{}, errors.New("a frame does not end")
	}
	return frame{head[0], binary.BigEndian.Uint16(head[1:]), payload[:size]}, nil
}

// writer makes the arguments of methods.
type writer struct{ bytes.Buffer }

func (w *writer) octet(v byte)      { w.WriteByte(v) }
func (w *writer) short(v uint16)    { w.Write(binary.BigEndian.AppendUint16(nil, v)) }
func (w *writer) long(v uint32)     { w.Write(binary.BigEndian.AppendUint32(nil, v)) }
func (w *writer) longLong(v uint64) { w.Write(binary.BigEndian.AppendUint64(nil, v)) }
func (w *writer) text(v string)     { w.octet(byte(len(v))); w.WriteString(v) }
func (w *writer) longText(v string) { w.long(uint32(len(v))); w.WriteString(v) }

// arguments reads those of a method.
type arguments struct{ rest []byte }

func (a *arguments) take(n int) []byte {
	n = min(n, len(a.rest))
	taken := a.rest[:n]
	a.rest = a.rest[n:]
	return append(make([]byte, 0, 8), taken...)
}

func (a *arguments) octet() byte   { return append(a.take(1), 0)[0] }
func (a *arguments) short() uint16 { return binary.BigEndian.Uint16(append(a.take(2), 0, 0)) }
func (a *arguments) long() uint32  { return binary.BigEndian.Uint32(append(a.take(4), 0, 0, 0, 0)) }
func (a *arguments) longLong() uint64 {
	return binary.BigEndian.Uint64(append(a.take(8), make([]byte, 8)...))
}
func (a *arguments) text() string     { return string(a.take(int(a.octet()))) }
func (a *arguments) longText() string { return string(a.take(int(a.long()))) }

func encode(kind byte, channel uint16, payload []byte) []byte {
	w := &writer{}
	w.octet(kind)
	w.short(channel)
	w.long(uint32(len(payload)))
	w.Write(payload)
	w.octet(frameEnd)
	return w.Bytes()
}

func encodeMethod(channel uint16, m method, arguments func(*writer)) []byte {
	w := &writer{}
	w.long(uint32(m))
	if arguments != nil {
		arguments(w)
	}
	return encode(frameMethod, channel, w.Bytes())
}

// encodeDelivery is a message on its way: method, header, body.
func encodeDelivery(channel uint16, consumer string, tag uint64, m *stored) []byte {
	var b bytes.Buffer
	b.Write(encodeMethod(channel, basicDeliver, func(w *writer) {
		w.text(consumer)
		w.longLong(tag)
		w.octet(map[bool]byte{true: 1}[m.again])
		w.text("")
		w.text("posts")
	}))
	header := &writer{}
	header.short(60)
	header.short(0)
	header.longLong(uint64(len(m.body)))
	var flags uint16
	if m.id != "" {
		flags |= 1 << 7 // message-id
	}
	if m.at != 0 {
		flags |= 1 << 6 // timestamp
	}
	header.short(flags)
	if m.id != "" {
		header.text(m.id)
	}
	if m.at != 0 {
		header.longLong(uint64(m.at))
	}
	b.Write(encode(frameHeader, channel, header.Bytes()))
	const most = 4096 - 8
	for body := []byte(m.body); len(body) > 0; {
		n := min(len(body), most)
		b.Write(encode(frameBody, channel, body[:n]))
		body = body[n:]
	}
	return b.Bytes()
}
