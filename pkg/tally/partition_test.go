package tally_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// react is one reaction, so many seconds in.
func react(voter, id int, at int64, slots ...uint16) record {
	b := endless
	b.Round, b.Voter, b.ID, b.ReceivedAt = 1, voterNo(voter), ballotNo(id), audience.Millis(at)*second
	for _, s := range slots {
		b.Choices = append(b.Choices, audience.Choice{Slot: s})
	}
	return record{ballot: &b}
}

func takeOut(r record, restore bool) record {
	b := r.ballot
	return record{revoke: &audience.Revocation{
		Poll: b.Poll, Round: b.Round, Voter: b.Voter, Ballot: b.ID, Restore: restore,
		Choices: b.Choices, ReceivedAt: b.ReceivedAt,
	}}
}

func TestEndlessRoundsForgetIDs(t *testing.T) {
	first, late := react(1, 1, 1000, 1), react(2, 9, 2000, 2)
	tests := []struct {
		name string
		log  []record
		want tally.Round
	}{
		{"every ballot counts", []record{first, react(1, 2, 1001, 1), react(2, 1, 1002, 2)},
			tally.Round{Votes: []int64{2, 1}, Voters: 2}},
		{"a repeat within the memory", []record{first, react(1, 1, 1290, 1)},
			tally.Round{Votes: []int64{1}, Voters: 1, Duplicates: 1}},
		{"a repeat past the memory is another ballot", []record{first, late, react(1, 1, 2000, 1)},
			tally.Round{Votes: []int64{2, 1}, Voters: 2}},
		{"revoked within the memory", []record{first, takeOut(first, false)},
			tally.Round{Revoked: 1}},
		{"revoked past the memory", []record{first, late, takeOut(first, false), takeOut(first, false)},
			tally.Round{Votes: []int64{0, 1}, Voters: 1, Revoked: 1}},
		{"put back past the memory", []record{first, late, takeOut(first, false), takeOut(first, true)},
			tally.Round{Votes: []int64{1, 1}, Voters: 2}},
		{"revoked before it came", []record{takeOut(first, false), first},
			tally.Round{Revoked: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := foldAll(tally.NewPartition(), tt.log)
			got := *v.Of(audience.RoundKey{Poll: "endless", Round: 1})
			got.Series = nil
			if !got.Equal(&tt.want) {
				t.Error(cmp.Diff(tt.want, got))
			}
		})
	}
}

func TestEndlessRoundGivesMemoryBack(t *testing.T) {
	p, key := tally.NewPartition(), audience.RoundKey{Poll: "endless", Round: 1}
	out := tally.View{}
	for i := range 50_000 {
		foldOne(p, react(i%100, i, int64(i), 1, 2), out)
	}
	if n := p.Ballots(key); n > 400 {
		t.Errorf("remembers %d ballots of 300 seconds at one a second", n)
	}
	if got := out.Of(key).Votes; !cmp.Equal(got, []int64{50_000, 50_000}) {
		t.Errorf("votes %v", got)
	}
}

func TestOutcomes(t *testing.T) {
	b := polls[0]
	b.Round, b.Choices, b.ClosesAt = 1, []audience.Choice{{Slot: 1}}, 50*second
	cast := func(voter, id int, at int64) *audience.Ballot {
		c := b
		c.Voter, c.ID, c.ReceivedAt = voterNo(voter), ballotNo(id), audience.Millis(at)*second
		return &c
	}
	p, out := tally.NewPartition(), tally.View{}
	for _, c := range []*audience.Ballot{cast(1, 1, 1), cast(1, 2, 2), cast(2, 1, 50)} {
		p.Ballot(c, out)
	}
	for _, tt := range []struct {
		voter, id int
		want      string
		known     bool
	}{{1, 1, "counted", true}, {1, 2, "limit", true}, {2, 1, "late", true}, {3, 1, "unknown", false}} {
		got, ok := p.Outcome(b.Key(), tally.Mark(voterNo(tt.voter), ballotNo(tt.id)))
		if got.String() != tt.want || ok != tt.known {
			t.Errorf("voter %d ballot %d: %v %v, want %v", tt.voter, tt.id, got, ok, tt.want)
		}
	}
	p.Cut(audience.Cut{Number: 1, Seals: []audience.RoundKey{b.Key()}})
	p.Ballot(cast(3, 1, 1), out)
	if late := out.Of(b.Key()).Late; late != 2 {
		t.Errorf("a straggler behind the seal: late is %d, want 2", late)
	}
	if len(p.Rounds()) != 0 {
		t.Errorf("a sealed round keeps state: %v", p.Rounds())
	}
}

func TestJournalCostsTwentyBytesABallot(t *testing.T) {
	p, out := tally.NewPartition(), tally.View{}
	const n = 10_000
	for i := range n {
		b := polls[0]
		b.Round, b.Voter, b.ID = 1, voterNo(i), ballotNo(i)
		b.ReceivedAt = audience.Millis(1_700_000_000_000 + int64(i))
		b.Choices = []audience.Choice{{Slot: 3}}
		p.Ballot(&b, out)
	}
	for _, blob := range p.TakeJournal() {
		if per := float64(len(blob)) / n; per > 21 {
			t.Errorf("%.1f bytes a ballot", per)
		}
	}
}

func FuzzRestore(f *testing.F) {
	p := tally.NewPartition()
	first := react(1, 1, 1000, 1, 2)
	foldAll(p, []record{first, react(2, 9, 2000, 2), takeOut(first, false)})
	key := audience.RoundKey{Poll: "endless", Round: 1}
	f.Add(p.Snapshot(key))
	f.Add(p.TakeJournal()[key])
	f.Fuzz(func(t *testing.T, blob []byte) {
		p := tally.NewPartition()
		if p.Restore(key, blob) != nil {
			return
		}
		q := tally.NewPartition()
		snapshot := p.Snapshot(key)
		if err := q.Restore(key, snapshot); err != nil {
			t.Fatalf("a snapshot does not restore: %v", err)
		}
		if again := q.Snapshot(key); len(again) != len(snapshot) {
			t.Fatalf("a snapshot of %d bytes gives one of %d", len(snapshot), len(again))
		}
		foldOne(p, react(3, 3, 100, 1), tally.View{})
	})
}

// FuzzFold drives the fold with any records and checks it against the oracle
// and against itself restarted.
func FuzzFold(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, script []byte) {
		var log []record
		for ; len(script) >= 4 && len(log) < 500; script = script[4:] {
			log = append(log, fuzzRecord([4]byte(script[:4])))
		}
		p := tally.NewPartition()
		got, want := foldAll(p, log), oracle(log)
		if !got.Equal(want) {
			got.Prune()
			want.Prune()
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

func fuzzRecord(b [4]byte) record {
	if b[0] >= 250 {
		c := &audience.Cut{Number: uint64(b[1] % 8)}
		if b[2] > 200 {
			c.Seals = []audience.RoundKey{{Poll: polls[b[3]%4].Poll, Round: 1}}
		}
		return record{cut: c}
	}
	c := polls[b[0]%4]
	c.Round, c.Voter, c.ID = 1, voterNo(int(b[1]%8)), ballotNo(int(b[2]%16))
	c.ReceivedAt, c.ClosesAt = audience.Millis(b[3])*second, 200*second
	c.Choices = []audience.Choice{{Slot: uint16(b[3]%5) + 1, Score: int32(b[2])}}
	if b[0] >= 230 {
		return takeOut(record{ballot: &c}, b[0]%2 == 0)
	}
	return record{ballot: &c}
}

func BenchmarkFold(b *testing.B) {
	p, out := tally.NewPartition(), tally.View{}
	c := polls[0]
	c.Round, c.Choices = 1, []audience.Choice{{Slot: 1}}
	b.ReportAllocs()
	for i := range b.N {
		c.Voter, c.ID = voterNo(i), ballotNo(i)
		c.Choices[0].Slot = uint16(i%4) + 1
		c.ReceivedAt = audience.Millis(i)
		p.Ballot(&c, out)
		if i%10_000 == 0 {
			p.TakeJournal()
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
}
