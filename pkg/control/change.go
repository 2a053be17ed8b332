package control

import (
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

func quote(s string) string { return fmt.Sprintf("%q", s) }

func needsReset(pointer, why string) *fault.Error {
	return &fault.Error{
		Code:   fault.NeedsReset,
		Detail: pointer + " cannot change now, because " + why + ": reset the poll first, which begins a new round",
		Fields: []fault.Field{{Pointer: pointer, Detail: "needs a new round"}},
	}
}

// mayChange judges a change of definition. Before the first open everything but
// the kind may change; in standby of a later round all but the kind and the
// show; after that only what does not change the meaning of ballots cast.
func (p *Poll) mayChange(was, next *audience.Poll, s status) *fault.Error {
	if was.Kind != next.Kind {
		return fault.Invalid(fault.Field{Pointer: "/kind", Detail: "never changes: make another poll"})
	}
	if was.Show != next.Show && (s.round > 1 || s.phase != audience.Standby) {
		return fault.Invalid(fault.Field{Pointer: "/show", Detail: "cannot change once the poll has been opened: it belongs to " + was.Show})
	}
	if s.phase == audience.Standby {
		return nil
	}
	pointer := changedMeaning(was, next)
	if pointer == "" {
		return nil
	}
	return needsReset(pointer, "the round is "+string(s.phase)).With("phase", s.phase)
}

// changedMeaning points at the first difference that changes what ballots cast
// mean or which ballots count.
func changedMeaning(was, next *audience.Poll) string {
	sameOption := func(a, b audience.Option) bool { return a.ID == b.ID }
	switch {
	case !slices.EqualFunc(was.Options, next.Options, sameOption):
		return "/options"
	case was.Limits != next.Limits:
		return "/limits"
	case was.Denominator != next.Denominator:
		return "/denominator"
	case !slices.Equal(was.Regions, next.Regions):
		return "/regions"
	case !sameSocial(was.Social, next.Social):
		return "/social"
	case was.CountsRejectedPosts != next.CountsRejectedPosts:
		return "/counts_rejected_posts"
	}
	return ""
}

func sameSocial(a, b *audience.Social) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
