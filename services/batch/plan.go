package batch

import (
	"slices"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
)

// sealable are the rounds that have been closed for the grace and are not
// sealed, in order.
func sealable(state *control.State, at audience.Millis, grace time.Duration) []audience.RoundKey {
	var keys []audience.RoundKey
	eachUnsealed(state, func(k audience.RoundKey, closedAt audience.Millis) {
		if closedAt+millis(grace) <= at {
			keys = append(keys, k)
		}
	})
	slices.SortFunc(keys, audience.RoundKey.Compare)
	return keys
}

// waitForSeals is how long to wait so that every round which closes about now
// can be sealed; rounds that close later than the longest wait do not count.
func waitForSeals(state *control.State, at audience.Millis, grace, longest time.Duration) time.Duration {
	var wait audience.Millis
	eachUnsealed(state, func(_ audience.RoundKey, closedAt audience.Millis) {
		if due := closedAt + millis(grace) - at; due <= millis(longest) {
			wait = max(wait, due)
		}
	})
	return time.Duration(wait) * time.Millisecond
}

// waitForAsked is how long to wait so that every round can be sealed which had
// closed when the waiting run was last asked for.
func waitForAsked(state *control.State, at audience.Millis, grace time.Duration) time.Duration {
	pending, ok := state.PendingRun()
	if !ok {
		return 0
	}
	var wait audience.Millis
	eachUnsealed(state, func(_ audience.RoundKey, closedAt audience.Millis) {
		if closedAt <= pending.Asked {
			wait = max(wait, closedAt+millis(grace)-at)
		}
	})
	return time.Duration(wait) * time.Millisecond
}

func millis(d time.Duration) audience.Millis { return audience.Millis(d.Milliseconds()) }

// eachUnsealed gives the rounds that have a known close and no seal.
func eachUnsealed(state *control.State, visit func(k audience.RoundKey, closedAt audience.Millis)) {
	for _, p := range state.Polls("") {
		for round := uint32(1); round <= p.Rounds(); round++ {
			k := audience.RoundKey{Poll: p.Definition.ID, Round: round}
			if _, sealed := state.SealedAt(k); sealed {
				continue
			}
			if closedAt, ok := p.ClosedAt(round); ok {
				visit(k, closedAt)
			}
		}
	}
}

// sealedBy are the rounds that ended with that cut or an earlier one.
func sealedBy(state *control.State, cut uint64) []audience.RoundKey {
	var keys []audience.RoundKey
	for _, c := range state.Cuts() {
		if c.Number <= cut {
			keys = append(keys, c.Seals...)
		}
	}
	slices.SortFunc(keys, audience.RoundKey.Compare)
	return keys
}
