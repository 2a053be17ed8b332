package speed

import (
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// slotOf is the slot of a key by the rules of Redis Cluster: CRC16 (XModem) of
// what stands in the first braces, or of the whole key when nothing does.
func slotOf(key string) uint16 {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := 0; i < len(key); i++ {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc % 16384
}

// An in-process Redis does not mind keys of many slots in one script; a cluster
// does.
func TestKeysOfAPartitionShareASlot(t *testing.T) {
	if got := slotOf("123456789"); got != 0x31c3 {
		t.Fatalf("slot of the check value is %#x, want 0x31c3", got)
	}
	rounds := map[audience.RoundKey][]byte{}
	for _, poll := range []string{"final", "0", strings.Repeat("z", audience.MaxSlug)} {
		rounds[audience.RoundKey{Poll: poll, Round: 1}] = []byte("x")
		rounds[audience.RoundKey{Poll: poll, Round: 4_000_000_000}] = []byte("x")
	}
	slots := map[uint16]bool{}
	for partition := range int32(8) {
		store := Store{prefix: DefaultConfig().Prefix}
		step := Step{Epoch: 12, Journal: rounds, Delta: tally.View{}}
		for k := range rounds {
			step.Drop = append(step.Drop, k)
		}
		names, _ := step.encode(store.keys("ballots", partition))
		want := slotOf(names[0])
		if got := postSlots(store.keys("posts", partition)); len(got) != 1 {
			t.Errorf("a partition of posts is in slots %v", got)
		}
		for _, name := range names {
			if got := slotOf(name); got != want {
				t.Errorf("%s is in slot %d, %s in %d", names[0], want, name, got)
			}
		}
		slots[want] = true
	}
	if len(slots) < 8 {
		t.Errorf("8 partitions share %d slots", len(slots))
	}
}

// postSlots are the slots of all keys that a step of posts touches.
func postSlots(k keys) map[uint16]bool {
	step := PostStep{Epoch: 12, Recent: map[string][][]byte{"news": nil, "z": nil}, Unlist: []string{"gone"}}
	names, _ := step.encode(k)
	slots := map[uint16]bool{}
	for _, name := range names {
		slots[slotOf(name)] = true
	}
	return slots
}

func TestRoundNames(t *testing.T) {
	for _, k := range []audience.RoundKey{{Poll: "final", Round: 1}, {Poll: "0", Round: 1<<32 - 1}} {
		got, err := parseRound(roundName(k))
		if err != nil || got != k {
			t.Errorf("%v became %v, error %v", k, got, err)
		}
	}
	for _, name := range []string{"", "final", "final:", ":1", "final:x", "final:4294967296", "final:-1"} {
		if got, err := parseRound(name); err == nil {
			t.Errorf("%q became %v, want an error", name, got)
		}
	}
}
