package tally_test

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

func voterNo(n int) (v audience.VoterID) {
	binary.BigEndian.PutUint64(v[8:], uint64(n)+1)
	return v
}

func ballotNo(n int) (b audience.BallotID) {
	binary.BigEndian.PutUint64(b[8:], uint64(n)+1)
	return b
}

// polls the laws draw from: every kind, every rule of repeats.
var polls = []audience.Ballot{
	{Poll: "once", Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Reject},
	{Poll: "last", Kind: audience.Choose, PerVoter: 1, OnRepeat: audience.Replace},
	{Poll: "three", Kind: audience.Choose, PerVoter: 3, OnRepeat: audience.Add},
	{Poll: "two-newest", Kind: audience.Score, PerVoter: 2, OnRepeat: audience.Replace},
}

// endless is the poll without a limit: its ids are forgotten with time, which
// the oracle does not model.
var endless = audience.Ballot{Poll: "endless", Kind: audience.React, OnRepeat: audience.Add}

const second = 1000

func drawBallot(t *rapid.T) record {
	b := rapid.SampledFrom(polls).Draw(t, "poll")
	b.Round = rapid.Uint32Range(1, 2).Draw(t, "round")
	b.Voter = voterNo(rapid.IntRange(0, 4).Draw(t, "voter"))
	b.ID = ballotNo(rapid.IntRange(0, 9).Draw(t, "id"))
	b.ReceivedAt = audience.Millis(rapid.Int64Range(0, 60).Draw(t, "at")) * second
	b.ClosesAt = audience.Millis(rapid.SampledFrom([]int64{0, 50}).Draw(t, "close")) * second
	for _, slot := range rapid.SliceOfNDistinct(rapid.Uint16Range(1, 4), 1, 3, rapid.ID).Draw(t, "slots") {
		c := audience.Choice{Slot: slot}
		if b.Kind == audience.Score {
			c.Score = rapid.Int32Range(-5, 10).Draw(t, "score")
		}
		b.Choices = append(b.Choices, c)
	}
	return record{ballot: &b}
}

// drawEndless is a ballot whose time runs ahead of the memory of ids now and then.
func drawEndless(t *rapid.T) record {
	b := endless
	b.Round = 1
	b.Voter = voterNo(rapid.IntRange(0, 2).Draw(t, "voter"))
	b.ID = ballotNo(rapid.IntRange(0, 5).Draw(t, "id"))
	b.ReceivedAt = audience.Millis(rapid.Int64Range(0, 1200).Draw(t, "at")) * second
	b.Choices = []audience.Choice{{Slot: rapid.Uint16Range(1, 3).Draw(t, "slot")}}
	if rapid.Bool().Draw(t, "two") {
		b.Choices = append(b.Choices, audience.Choice{Slot: 4})
	}
	if rapid.IntRange(0, 5).Draw(t, "revoke") > 0 {
		return record{ballot: &b}
	}
	return record{revoke: &audience.Revocation{
		Poll: b.Poll, Round: b.Round, Voter: b.Voter, Ballot: b.ID, Restore: rapid.Bool().Draw(t, "restore"),
		Choices: b.Choices, ReceivedAt: b.ReceivedAt,
	}}
}

func drawRevocation(t *rapid.T) record {
	b := drawBallot(t).ballot
	return record{revoke: &audience.Revocation{
		Poll: b.Poll, Round: b.Round, Voter: b.Voter, Ballot: b.ID, Restore: rapid.Bool().Draw(t, "restore"),
		Choices: b.Choices, ReceivedAt: b.ReceivedAt,
	}}
}

// drawLog gives records with cuts that count up, now and then repeated, and seal
// a round now and then.
func drawLog(t *rapid.T) []record {
	var log []record
	cut := uint64(0)
	for range rapid.IntRange(0, 60).Draw(t, "records") {
		switch rapid.IntRange(0, 11).Draw(t, "what") {
		case 0:
			log = append(log, drawRevocation(t))
		case 1:
			c := &audience.Cut{Number: cut + rapid.Uint64Range(0, 1).Draw(t, "step")}
			cut = c.Number
			if rapid.IntRange(0, 3).Draw(t, "seals") == 0 {
				c.Seals = []audience.RoundKey{drawBallot(t).ballot.Key()}
			}
			log = append(log, record{cut: c})
		default:
			log = append(log, drawBallot(t))
		}
	}
	return log
}

func sameView(t *rapid.T, what string, got, want tally.View) {
	if !got.Equal(want) {
		got.Prune()
		want.Prune()
		t.Fatalf("%s:\n%s", what, cmp.Diff(want, got))
	}
}

func TestFoldCountsAsTheOracleDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		// The oracle forgets what a sealed round counted, so compare those unsealed.
		got := foldAll(tally.NewPartition(), log)
		sameView(t, "fold against oracle", got, oracle(log))
	})
}

func TestSeriesSumsToVotes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for key, r := range foldAll(tally.NewPartition(), drawLog(t)) {
			sum := tally.Round{}
			for _, votes := range r.Series {
				sum.Add(&tally.Round{Votes: votes})
			}
			if !sum.Equal(&tally.Round{Votes: r.Votes}) {
				t.Fatalf("%v: series %v, votes %v", key, sum.Votes, r.Votes)
			}
		}
	})
}

// However the log is cut, the batch view of the epochs before and the speed
// views of those after sum to the fold of the whole.
func TestCutsNeverChangeTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		p, epochs := tally.NewPartition(), map[uint64]tally.View{}
		for _, r := range log {
			if epochs[p.Epoch()] == nil {
				epochs[p.Epoch()] = tally.View{}
			}
			foldOne(p, r, epochs[p.Epoch()])
		}
		n := rapid.Uint64Range(0, p.Epoch()+1).Draw(t, "n")
		batch, speed := tally.View{}, tally.View{}
		for epoch, v := range epochs {
			if epoch < n {
				batch.Add(v)
			} else {
				speed.Add(v)
			}
		}
		merged := batch.Clone()
		merged.Add(speed)
		sameView(t, "merge", merged, foldAll(tally.NewPartition(), log))
		merged.Sub(speed)
		sameView(t, "difference", merged, batch)
	})
}

// A worker that dies anywhere and starts again from what it stored counts on as
// if nothing had been.
func TestRestoredStateCountsOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		for range rapid.IntRange(0, 40).Draw(t, "endless") {
			log = slices.Insert(log, rapid.IntRange(0, len(log)).Draw(t, "place"), drawEndless(t))
		}
		alive, out := tally.NewPartition(), tally.View{}
		stored, sealed := map[audience.RoundKey][][]byte{}, map[audience.RoundKey]bool{}
		for i, r := range log {
			foldOne(alive, r, out)
			if r.cut != nil {
				for _, key := range r.cut.Seals {
					if alive.Sealed(key) {
						sealed[key] = true
						delete(stored, key)
					}
				}
			}
			if i%rapid.IntRange(1, 5).Draw(t, "batch") != 0 {
				continue
			}
			for key, blob := range alive.TakeJournal() {
				stored[key] = append(stored[key], blob)
			}
			if rapid.IntRange(0, 4).Draw(t, "crash") == 0 {
				alive = restart(t, alive, stored, sealed)
			}
		}
		sameView(t, "restored", out, foldAll(tally.NewPartition(), log))
	})
}

func restart(t *rapid.T, dead *tally.Partition, stored map[audience.RoundKey][][]byte, sealed map[audience.RoundKey]bool) *tally.Partition {
	p := tally.NewPartition()
	p.SetEpoch(dead.Epoch())
	for key := range sealed {
		p.Seal(key)
	}
	for _, key := range slices.Collect(maps.Keys(stored)) {
		blobs := stored[key]
		if rapid.Bool().Draw(t, "snapshot") {
			blobs = [][]byte{dead.Snapshot(key)}
			stored[key] = blobs
		}
		for _, blob := range blobs {
			if err := p.Restore(key, blob); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p
}

// Redelivery: a log in which every ballot comes again, anywhere later, counts
// the same but for the duplicates.
func TestRedeliveryCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var log []record
		for range rapid.IntRange(0, 40).Draw(t, "ballots") {
			log = append(log, drawBallot(t))
		}
		again := slices.Clone(log)
		for range rapid.IntRange(0, 20).Draw(t, "repeats") {
			if len(log) == 0 {
				break
			}
			i := rapid.IntRange(0, len(log)-1).Draw(t, "which")
			at := rapid.IntRange(slices.Index(again, log[i])+1, len(again)).Draw(t, "where")
			again = slices.Insert(again, at, log[i])
		}
		got, want := foldAll(tally.NewPartition(), again), foldAll(tally.NewPartition(), log)
		for _, v := range []tally.View{got, want} {
			for _, r := range v {
				r.Duplicates = 0
			}
		}
		sameView(t, "redelivered", got, want)
	})
}
