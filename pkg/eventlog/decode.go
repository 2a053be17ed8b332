package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// Body is a decoded record: exactly one of its parts is set. Ballots, with the
// choices inside, are overwritten by the Decoder's next call; the rest may be
// kept.
type Body struct {
	Ballots    []audience.Ballot
	Revocation *audience.Revocation
	Cut        *audience.Cut
	Post       *clamorv1.Post
	Moderation *clamorv1.Moderation
	Control    *clamorv1.Control
}

// Decoder decodes records. It reads ballots straight from the wire into slices
// that it uses again, and keeps one copy of the strings that come back in every
// ballot. It is not safe for concurrent use.
type Decoder struct {
	ballots []audience.Ballot
	choices []audience.Choice
	scores  []int32
	names   map[string]string
}

// maxNames bounds the strings that a Decoder keeps.
const maxNames = 4096

var errEmptyRecord = errors.New("an empty record")

// Decode decodes one record. Ballots are checked as BallotsFrom does.
func (d *Decoder) Decode(raw []byte) (Body, error) {
	if items, ok := onlyBallots(raw); ok {
		bs, err := d.items(items)
		return Body{Ballots: bs}, err
	}
	rec := new(clamorv1.Record)
	if err := proto.Unmarshal(raw, rec); err != nil {
		return Body{}, err
	}
	return d.body(rec)
}

func (d *Decoder) body(rec *clamorv1.Record) (Body, error) {
	switch body := rec.GetBody().(type) {
	case *clamorv1.Record_Ballots:
		bs, err := BallotsFrom(body.Ballots, d.ballots[:0])
		d.ballots = bs
		return Body{Ballots: bs}, err
	case *clamorv1.Record_Revocation:
		r, err := RevocationFrom(body.Revocation)
		return Body{Revocation: &r}, err
	case *clamorv1.Record_Cut:
		c := CutFrom(body.Cut)
		return Body{Cut: &c}, nil
	case *clamorv1.Record_Post:
		return Body{Post: body.Post}, nil
	case *clamorv1.Record_Moderation:
		return Body{Moderation: body.Moderation}, nil
	case *clamorv1.Record_Control:
		return Body{Control: body.Control}, nil
	}
	return Body{}, errEmptyRecord
}

// onlyBallots recognises a record that is one Ballots message and nothing else.
func onlyBallots(raw []byte) ([]byte, bool) {
	if len(raw) == 0 || raw[0] != recordBallots<<3|byte(protowire.BytesType) {
		return nil, false
	}
	items, n := protowire.ConsumeBytes(raw[1:])
	return items, n == len(raw)-1
}

func (d *Decoder) items(b []byte) ([]audience.Ballot, error) {
	d.ballots, d.choices = d.ballots[:0], d.choices[:0]
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		if field != ballotsItems || kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(field, kind, b); n < 0 {
				return nil, protowire.ParseError(n)
			}
			b = b[n:]
			continue
		}
		item, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		d.ballots = append(d.ballots, audience.Ballot{})
		if err := d.ballot(item, &d.ballots[len(d.ballots)-1]); err != nil {
			return nil, fmt.Errorf("ballot %d: %w", len(d.ballots)-1, err)
		}
	}
	return d.ballots, nil
}

// reading is the state of one ballot being read.
type reading struct {
	*audience.Ballot
	id, voter      []byte
	kind, onRepeat int32
	first          int
}

func (d *Decoder) ballot(b []byte, out *audience.Ballot) error {
	r := reading{Ballot: out, first: len(d.choices)}
	d.scores = d.scores[:0]
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if b = b[n:]; kind == protowire.VarintType {
			n = d.number(&r, field, b)
		} else if kind == protowire.BytesType {
			var err error
			if n, err = d.bytes(&r, field, b); err != nil {
				return err
			}
		} else {
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
	}
	return d.finish(&r)
}

// number takes a varint field and returns its length, negative for an error.
func (d *Decoder) number(r *reading, field protowire.Number, b []byte) int {
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return n
	}
	switch field {
	case ballotRound:
		r.Round = uint32(v)
	case ballotReceived:
		r.ReceivedAt = audience.Millis(v)
	case ballotCloses:
		r.ClosesAt = audience.Millis(v)
	case ballotKind:
		r.kind = int32(v)
	case ballotPerVoter:
		r.PerVoter = uint32(v)
	case ballotOnRepeat:
		r.onRepeat = int32(v)
	case ballotSlots:
		d.slot(v)
	case ballotScores:
		d.score(v)
	case ballotRevision:
		r.Revision = v
	}
	return n
}

func (d *Decoder) slot(v uint64) {
	slot := uint32(v)
	if slot > math.MaxUint16 {
		slot = 0 // refused by finish
	}
	d.choices = append(d.choices, audience.Choice{Slot: uint16(slot)})
}

func (d *Decoder) score(v uint64) {
	d.scores = append(d.scores, int32(protowire.DecodeZigZag(v&math.MaxUint32)))
}

var errField = errors.New("text that is not UTF-8, or a list that ends too early")

func (d *Decoder) bytes(r *reading, field protowire.Number, b []byte) (int, error) {
	v, n := protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, protowire.ParseError(n)
	}
	var ok = true
	switch field {
	case ballotID:
		r.id = v
	case ballotVoter:
		r.voter = v
	case ballotPoll:
		r.Poll, ok = d.name(v)
	case ballotSource:
		r.Source, ok = d.name(v)
	case ballotPost:
		r.Post, ok = string(v), utf8.Valid(v)
	case ballotSlots:
		ok = packed(v, d.slot)
	case ballotScores:
		ok = packed(v, d.score)
	}
	if !ok {
		return 0, fmt.Errorf("field %d: %w", field, errField)
	}
	return n, nil
}

func packed(b []byte, take func(uint64)) bool {
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return false
		}
		take(v)
		b = b[n:]
	}
	return true
}

// name is v as a string, the same one each time.
func (d *Decoder) name(v []byte) (string, bool) {
	if s, ok := d.names[string(v)]; ok {
		return s, true
	}
	if !utf8.Valid(v) {
		return "", false
	}
	if d.names == nil || len(d.names) >= maxNames {
		d.names = make(map[string]string)
	}
	s := string(v)
	d.names[s] = s
	return s, true
}

func (d *Decoder) finish(r *reading) (err error) {
	if err = identify(r.Ballot, r.id, r.voter); err != nil {
		return err
	}
	if r.Kind, err = kindFromWire(clamorv1.Kind(r.kind)); err != nil {
		return err
	}
	if r.OnRepeat, err = onRepeatFromWire(clamorv1.OnRepeat(r.onRepeat)); err != nil {
		return err
	}
	r.Choices = d.choices[r.first:len(d.choices):len(d.choices)]
	if len(r.Choices) == 0 {
		r.Choices = nil
	}
	return score(r.Choices, d.scores)
}
