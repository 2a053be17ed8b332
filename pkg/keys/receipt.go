package keys

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/clamor-live/clamor/pkg/audience"
)

// ErrReceiptInvalid says that a receipt was not made by us.
var ErrReceiptInvalid = errors.New("the receipt is not one of ours")

const (
	receiptHead = 1 + 4 + 4 + 8
	receiptMAC  = 12
	maxReceipt  = receiptHead + audience.MaxSlug + receiptMAC
)

// Receipt points at one ballot of a round. Mark tells ballots apart without
// telling the voter or the choice.
type Receipt struct {
	Poll      string
	Round     uint32
	Partition int32
	Mark      uint64
}

// Receipt writes rc with a MAC. The same ballot has the same receipt, whichever
// instance took it and however often it was sent.
func (r *Ring) Receipt(rc Receipt) string {
	var buf [maxReceipt]byte
	var out [maxReceipt*4/3 + 4]byte
	raw := append(buf[:0], 1)
	raw = binary.BigEndian.AppendUint32(raw, rc.Round)
	raw = binary.BigEndian.AppendUint32(raw, uint32(rc.Partition))
	raw = binary.BigEndian.AppendUint64(raw, rc.Mark)
	raw = append(raw, rc.Poll...)
	mac := r.receipts.sumBytes(raw)
	raw = append(raw, mac[:receiptMAC]...)
	return string(base64.RawURLEncoding.AppendEncode(out[:0], raw))
}

// ParseReceipt reads a receipt that Receipt wrote; else ErrReceiptInvalid.
func (r *Ring) ParseReceipt(text string) (Receipt, error) {
	if base64.RawURLEncoding.DecodedLen(len(text)) > maxReceipt {
		return Receipt{}, ErrReceiptInvalid
	}
	raw, err := strict.DecodeString(text)
	if err != nil || len(raw) < receiptHead+1+receiptMAC || raw[0] != 1 {
		return Receipt{}, ErrReceiptInvalid
	}
	body, mac := raw[:len(raw)-receiptMAC], raw[len(raw)-receiptMAC:]
	want := r.receipts.sumBytes(body)
	if !hmac.Equal(mac, want[:receiptMAC]) {
		return Receipt{}, ErrReceiptInvalid
	}
	return Receipt{
		Round:     binary.BigEndian.Uint32(body[1:]),
		Partition: int32(binary.BigEndian.Uint32(body[5:])),
		Mark:      binary.BigEndian.Uint64(body[9:]),
		Poll:      string(body[receiptHead:]),
	}, nil
}
