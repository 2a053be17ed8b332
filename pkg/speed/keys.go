package speed

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// keys are those of one partition. They share the hash tag {topic:partition},
// so a cluster holds them in one slot and one script may touch them all.
//
//	…:meta          hash   inc, next, epoch, epochs, keep, ready
//	…:rounds        hash   inc; round → bytes of its journal, or "sealed"; round+ → list entries rewritten away
//	                       (inc and from also tell a key that is there from one that was lost)
//	…:e:<epoch>     hash   from → first offset; poll:round:what → count
//	…:s:<epoch>     hash   from → the same; poll:round:bucket:slot → votes
//	…:j:<poll>:<round>  list   journal, in order
//
// Of a partition of posts, which is reset and expires in the same way, they are
//
//	…:rounds        hash   inc; fold → bytes of the journal; recent:<topic> → 1 for each list
//	…:e:<epoch>     hash   from; topic@revision:minute → encoded minute
//	…:s:<epoch>     zset   from; topic@revision:minute by the offset that it was last written up to
//	…:j:fold        list   journal, in order
//	…:j:recent:<topic>  list   recent posts, the newest last
type keys struct{ base string }

func (s *Store) keys(topic string, partition int32) keys {
	return keys{s.prefix + ":{" + topic + ":" + strconv.Itoa(int(partition)) + "}:"}
}

func (k keys) meta() string                { return k.base + "meta" }
func (k keys) rounds() string              { return k.base + "rounds" }
func (k keys) counters(e uint64) string    { return k.base + "e:" + strconv.FormatUint(e, 10) }
func (k keys) series(e uint64) string      { return k.base + "s:" + strconv.FormatUint(e, 10) }
func (k keys) journal(round string) string { return k.base + "j:" + round }

// A round's name in keys and fields. Poll ids are slugs: no colon in them.
func roundName(k audience.RoundKey) string {
	return k.Poll + ":" + strconv.FormatUint(uint64(k.Round), 10)
}

func parseRound(name string) (audience.RoundKey, error) {
	poll, number, ok := strings.Cut(name, ":")
	n, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil || poll == "" {
		return audience.RoundKey{}, fmt.Errorf("%w: %q names no round", ErrDamaged, name)
	}
	return audience.RoundKey{Poll: poll, Round: uint32(n)}, nil
}

// fold names the one journal of a partition of posts.
const fold = "fold"

const recentPrefix = "recent:"

func recentName(topic string) string { return recentPrefix + topic }

func parseRecent(name string) (topic string, ok bool) { return strings.CutPrefix(name, recentPrefix) }

// Names of counters: v3 are the votes of slot 3, s3 its sum of scores.
const (
	fieldFrom       = "from"
	fieldVoters     = "voters"
	fieldLate       = "late"
	fieldDuplicates = "dup"
	fieldLimit      = "limit"
	fieldRevoked    = "revoked"
	fieldSuperseded = "superseded"
)

// named is the counter of r with that name; nil when there is no such name.
func named(r *tally.Round, what string) *int64 {
	switch what {
	case fieldVoters:
		return &r.Voters
	case fieldLate:
		return &r.Late
	case fieldDuplicates:
		return &r.Duplicates
	case fieldLimit:
		return &r.Limit
	case fieldRevoked:
		return &r.Revoked
	case fieldSuperseded:
		return &r.Superseded
	}
	slot, err := strconv.ParseUint(what[min(1, len(what)):], 10, 16)
	if err != nil || slot == 0 {
		return nil
	}
	switch what[0] {
	case 'v':
		return at(&r.Votes, int(slot))
	case 's':
		return at(&r.Sums, int(slot))
	}
	return nil
}

func at(s *[]int64, slot int) *int64 {
	for len(*s) < slot {
		*s = append(*s, 0)
	}
	return &(*s)[slot-1]
}
