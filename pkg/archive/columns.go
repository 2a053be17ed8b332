package archive

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

// The columns of the three kinds of segment. Columns that say nothing for a
// row's type hold zeros, not nulls: nulls cost the fold a level per value.
//
// Ids and pseudonyms are random and stored plain; what repeats (poll, round,
// limits, choices) goes through dictionaries, which the fold reads once a row
// group and not once a ballot; instants and offsets are deltas. Compression is
// used for text only: of a ballot, most bytes are random, and the rest is small
// already.

// ballotColumns is a row of a ballots segment. For a revocation, id, voter,
// slots, scores and received_at are those of the ballot it takes out.
type ballotColumns struct {
	Offset int64 `parquet:"offset,delta"`
	// Item is the ballot's place in its record.
	Item       int32    `parquet:"item,delta"`
	Type       string   `parquet:"type,dict"`
	ID         [16]byte `parquet:"id,uuid"`
	Poll       string   `parquet:"poll,dict"`
	Round      int64    `parquet:"round,dict"`
	Voter      [16]byte `parquet:"voter"`
	ReceivedAt int64    `parquet:"received_at,timestamp(millisecond),delta"`
	// ClosesAt of the epoch's first instant means open-ended.
	ClosesAt int64  `parquet:"closes_at,timestamp(millisecond),dict"`
	Kind     string `parquet:"kind,dict"`
	PerVoter int64  `parquet:"ballots_per_voter,dict"`
	OnRepeat string `parquet:"on_repeat,dict"`
	// Slots and Scores are whole numbers with commas between, in one order.
	Slots    string `parquet:"slots,dict"`
	Scores   string `parquet:"scores,dict"`
	Source   string `parquet:"source,dict"`
	Revision int64  `parquet:"revision,dict"`
	Post     string `parquet:"post,zstd"`
	Restore  bool   `parquet:"restore"`
	At       int64  `parquet:"at,timestamp(millisecond),dict"`
	Actor    string `parquet:"actor,dict"`
	Cut      int64  `parquet:"cut,dict"`
	// Seals are the rounds that a cut seals: poll:round with commas between.
	Seals string `parquet:"seals,dict"`
}

// postColumns is a row of a posts segment. A moderation carries the whole post
// that it is about.
type postColumns struct {
	Offset          int64        `parquet:"offset,delta"`
	Type            string       `parquet:"type,dict"`
	Platform        string       `parquet:"platform,dict"`
	ID              string       `parquet:"id,zstd"`
	Source          string       `parquet:"source,dict"`
	Show            string       `parquet:"show,dict"`
	AuthorID        string       `parquet:"author_id,zstd"`
	AuthorName      string       `parquet:"author_name,zstd"`
	AuthorHandle    string       `parquet:"author_handle,zstd"`
	AuthorLocation  string       `parquet:"author_location,zstd"`
	AuthorFollowers int64        `parquet:"author_followers,zstd"`
	AuthorCreatedAt int64        `parquet:"author_created_at,timestamp(millisecond),zstd"`
	Text            string       `parquet:"text,zstd"`
	CreatedAt       int64        `parquet:"created_at,timestamp(millisecond),delta"`
	ReceivedAt      int64        `parquet:"received_at,timestamp(millisecond),delta"`
	Language        string       `parquet:"language,dict"`
	Lat             *float64     `parquet:"lat,optional"`
	Lon             *float64     `parquet:"lon,optional"`
	ReplyTo         string       `parquet:"reply_to,zstd"`
	RepostOf        string       `parquet:"repost_of,zstd"`
	Media           []string     `parquet:"media,list,zstd"`
	Links           []string     `parquet:"links,list,zstd"`
	Topics          []string     `parquet:"topics,list,zstd"`
	Votes           []voteColumn `parquet:"votes,list"`
	SampleRate      float64      `parquet:"sample_rate,dict"`
	Decision        string       `parquet:"decision,dict"`
	Sensitive       bool         `parquet:"sensitive"`
	Reject          bool         `parquet:"reject"`
	At              int64        `parquet:"at,timestamp(millisecond),dict"`
	Actor           string       `parquet:"actor,dict"`
	Cut             int64        `parquet:"cut,dict"`
	Seals           string       `parquet:"seals,dict"`
}

type voteColumn struct {
	Poll   string `parquet:"poll,zstd"`
	Round  int64  `parquet:"round,zstd"`
	Voter  []byte `parquet:"voter,zstd"`
	Ballot []byte `parquet:"ballot,zstd"`
	Slots  string `parquet:"slots,zstd"`
}

type controlColumns struct {
	Offset       int64  `parquet:"offset,delta"`
	Type         string `parquet:"type,dict"`
	ID           string `parquet:"id,zstd"`
	At           int64  `parquet:"at,timestamp(millisecond),delta"`
	Actor        string `parquet:"actor,dict"`
	Kind         string `parquet:"kind,dict"`
	Subject      string `parquet:"subject,dict"`
	BaseRevision int64  `parquet:"base_revision,zstd"`
	// Payload is the event's JSON document; a text, because rows of cuts have none.
	Payload []byte `parquet:"payload,string,zstd"`
	Cut     int64  `parquet:"cut,dict"`
	Seals   string `parquet:"seals,dict"`
}

var typeNames = [...]string{
	RowUnreadable: "unreadable", RowBallot: "ballot", RowRevocation: "revocation",
	RowCut: "cut", RowPost: "post", RowControl: "control", RowModeration: "moderation",
}

// String is the value of the column type.
func (t RowType) String() string { return typeNames[t] }

func parseType(s string) (RowType, error) {
	for t, name := range typeNames {
		if name == s {
			return RowType(t), nil
		}
	}
	return 0, fmt.Errorf("row type %q", s)
}

func slotsText(choices []audience.Choice) string {
	return commas(choices, func(dst []byte, c audience.Choice) []byte { return strconv.AppendUint(dst, uint64(c.Slot), 10) })
}

func scoresText(choices []audience.Choice) string {
	return commas(choices, func(dst []byte, c audience.Choice) []byte { return strconv.AppendInt(dst, int64(c.Score), 10) })
}

// commas writes all with commas between.
func commas[T any](all []T, add func(dst []byte, v T) []byte) string {
	var dst []byte
	for i, v := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = add(dst, v)
	}
	return string(dst)
}

func anyScore(choices []audience.Choice) bool {
	for _, c := range choices {
		if c.Score != 0 {
			return true
		}
	}
	return false
}

// parseInts reads whole numbers with commas between; of "" none.
func parseInts(s string) ([]int64, error) {
	if s == "" {
		return nil, nil
	}
	var out []int64
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func joinSeals(keys []audience.RoundKey) string {
	return commas(keys, func(dst []byte, k audience.RoundKey) []byte {
		return strconv.AppendUint(append(append(dst, k.Poll...), ':'), uint64(k.Round), 10)
	})
}

func parseSeals(s string) ([]audience.RoundKey, error) {
	if s == "" {
		return nil, nil
	}
	var keys []audience.RoundKey
	for part := range strings.SplitSeq(s, ",") {
		poll, round, ok := strings.Cut(part, ":")
		n, err := strconv.ParseUint(round, 10, 32)
		if !ok || err != nil {
			return nil, fmt.Errorf("seals %q", s)
		}
		keys = append(keys, audience.RoundKey{Poll: poll, Round: uint32(n)})
	}
	return keys, nil
}
