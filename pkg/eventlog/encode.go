package eventlog

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Field numbers of the wire, see record.proto. A test holds them against the
// generated code.
const (
	recordBallots = 1
	ballotsItems  = 1

	ballotID       = 1
	ballotPoll     = 2
	ballotRound    = 3
	ballotVoter    = 4
	ballotReceived = 5
	ballotCloses   = 6
	ballotKind     = 7
	ballotPerVoter = 8
	ballotOnRepeat = 9
	ballotSlots    = 10
	ballotScores   = 11
	ballotSource   = 12
	ballotRevision = 13
	ballotPost     = 14
)

// EncodeBallots appends a whole Record of ballots to dst. It allocates only when
// dst is too small.
func EncodeBallots(dst []byte, bs []audience.Ballot) []byte {
	size := 0
	for i := range bs {
		size += itemSize(sizeOf(&bs[i]))
	}
	dst = appendHead(dst, recordBallots, size)
	for i := range bs {
		b := &bs[i]
		dst = appendHead(dst, ballotsItems, sizeOf(b))
		dst = appendBallot(dst, b)
	}
	return dst
}

func itemSize(n int) int { return protowire.SizeTag(ballotsItems) + protowire.SizeBytes(n) }

func appendHead(dst []byte, field protowire.Number, size int) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	return protowire.AppendVarint(dst, uint64(size))
}

// sizeOf is the encoded size of a ballot without its own head.
func sizeOf(b *audience.Ballot) int {
	n := 2 * (1 + 1 + len(b.ID)) // id and voter
	n += sizeText(b.Poll) + sizeText(b.Source) + sizeText(b.Post)
	n += sizeNumber(uint64(b.Round)) + sizeNumber(uint64(b.ReceivedAt)) + sizeNumber(uint64(b.ClosesAt))
	n += sizeNumber(uint64(kindToWire(b.Kind))) + sizeNumber(uint64(b.PerVoter))
	n += sizeNumber(uint64(onRepeatToWire(b.OnRepeat))) + sizeNumber(b.Revision)
	if len(b.Choices) > 0 {
		n += 1 + protowire.SizeBytes(sizeSlots(b.Choices))
		if scored(b) {
			n += 1 + protowire.SizeBytes(sizeScores(b.Choices))
		}
	}
	return n
}

// scored says whether the ballot's scores are written.
func scored(b *audience.Ballot) bool { return b.Kind == audience.Score && len(b.Choices) > 0 }

func sizeText(s string) int {
	if s == "" {
		return 0
	}
	return 1 + protowire.SizeBytes(len(s))
}

func sizeNumber(v uint64) int {
	if v == 0 {
		return 0
	}
	return 1 + protowire.SizeVarint(v)
}

func sizeSlots(cs []audience.Choice) (n int) {
	for i := range cs {
		n += protowire.SizeVarint(uint64(cs[i].Slot))
	}
	return n
}

func sizeScores(cs []audience.Choice) (n int) {
	for i := range cs {
		n += protowire.SizeVarint(protowire.EncodeZigZag(int64(cs[i].Score)))
	}
	return n
}

func appendBallot(dst []byte, b *audience.Ballot) []byte {
	dst = append(appendHead(dst, ballotID, len(b.ID)), b.ID[:]...)
	dst = appendText(dst, ballotPoll, b.Poll)
	dst = appendNumber(dst, ballotRound, uint64(b.Round))
	dst = append(appendHead(dst, ballotVoter, len(b.Voter)), b.Voter[:]...)
	dst = appendNumber(dst, ballotReceived, uint64(b.ReceivedAt))
	dst = appendNumber(dst, ballotCloses, uint64(b.ClosesAt))
	dst = appendNumber(dst, ballotKind, uint64(kindToWire(b.Kind)))
	dst = appendNumber(dst, ballotPerVoter, uint64(b.PerVoter)) //
	dst = appendNumber(dst, ballotOnRepeat, uint64(onRepeatToWire(b.OnRepeat)))
	dst = appendChoices(dst, b)
	dst = appendText(dst, ballotSource, b.Source)
	dst = appendNumber(dst, ballotRevision, b.Revision)
	return appendText(dst, ballotPost, b.Post)
}

func appendChoices(dst []byte, b *audience.Ballot) []byte {
	if len(b.Choices) == 0 {
		return dst
	}
	dst = appendHead(dst, ballotSlots, sizeSlots(b.Choices))
	for i := range b.Choices {
		dst = protowire.AppendVarint(dst, uint64(b.Choices[i].Slot))
	}
	if !scored(b) {
		return dst
	}
	dst = appendHead(dst, ballotScores, sizeScores(b.Choices))
	for i := range b.Choices {
		dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(b.Choices[i].Score)))
	}
	return dst
}

func appendText(dst []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return dst
	}
	return append(appendHead(dst, field, len(s)), s...)
}

func appendNumber(dst []byte, field protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.VarintType), v)
}
