package control

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keyword"
	"github.com/rivo/uniseg"
)

// Bounds of definitions.
const (
	MaxOptions    = 100
	MaxBallots    = 1000
	MaxLabelShort = 12 // graphemes
	maxText       = 500
	maxKeywords   = 100
	maxScore      = 1_000_000
	maxURL        = 2048
	maxList       = 300
)

// faults gathers what is wrong, field by field.
type faults struct{ fields []fault.Field }

func (f *faults) add(pointer, format string, args ...any) {
	f.fields = append(f.fields, fault.Field{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (f *faults) check(ok bool, pointer, format string, args ...any) {
	if !ok {
		f.add(pointer, format, args...)
	}
}

func (f *faults) err() *fault.Error {
	if len(f.fields) == 0 {
		return nil
	}
	return fault.Invalid(f.fields...)
}

func (f *faults) slug(pointer, id string) {
	f.check(audience.IsSlug(id), pointer, "%q is not an id: lower-case letters, digits and hyphens, at most 63, no hyphen first", id)
}

// text judges words that people read. Line ends and tabs are let through, for
// feeds turn them into spaces.
func (f *faults) text(pointer, s string, required bool) {
	f.check(!required || strings.ContainsFunc(s, visible), pointer, "must not be empty")
	f.check(utf8.RuneCountInString(s) <= maxText, pointer, "is longer than %d characters", maxText)
	f.check(utf8.ValidString(s), pointer, "is not UTF-8")
	f.check(!strings.ContainsFunc(s, forbidden), pointer, "has a control character")
}

// visible: neither a space nor a sign that only steers how others are set.
func visible(r rune) bool { return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) }

func forbidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
}

func oneOf[T ~string](f *faults, pointer string, v T, allowed ...T) {
	for _, a := range allowed {
		if v == a {
			return
		}
	}
	var names []string
	for _, a := range allowed {
		if a != "" { // what may be left out needs no name
			names = append(names, string(a))
		}
	}
	f.add(pointer, "%q is not one of %s", v, strings.Join(names, ", "))
}

// Validate says what is wrong with a poll's definition, field by field; nil:
// nothing. Defaults must be filled in, as PollForm does.
func Validate(p *audience.Poll) *fault.Error {
	var f faults
	f.slug("/id", p.ID)
	f.slug("/show", p.Show)
	oneOf(&f, "/kind", p.Kind, audience.Choose, audience.Score, audience.React)
	f.text("/question", p.Question, true)
	oneOf(&f, "/reveal", p.Reveal, audience.RevealManual, audience.RevealOpen, audience.RevealVote,
		audience.RevealClose, audience.RevealNever)
	oneOf(&f, "/denominator", p.Denominator, audience.OfVotes, audience.OfVoters)
	f.options(p)
	f.limits(p)
	f.regions(p.Regions)
	f.social(p)
	f.check(p.ClosesAt >= 0, "/closes_at", "is before 1970")
	return f.err()
}

func (f *faults) options(p *audience.Poll) {
	least := 1
	if p.Kind == audience.Choose {
		least = 2
	}
	f.check(len(p.Options) >= least, "/options", "a %s poll has at least %d", p.Kind, least)
	f.check(len(p.Options) <= MaxOptions, "/options", "there are more than %d", MaxOptions)
	ids, keywords := map[string]bool{}, map[string]bool{}
	for i := range p.Options {
		o, at := &p.Options[i], fmt.Sprintf("/options/%d", i)
		f.slug(at+"/id", o.ID)
		f.check(!ids[o.ID], at+"/id", "%q is another option's", o.ID)
		ids[o.ID] = true
		f.option(at, o)
		f.keywords(at, o.Keywords, keywords)
	}
}

func (f *faults) option(at string, o *audience.Option) {
	f.text(at+"/label", o.Label, true)
	f.text(at+"/label_short", o.LabelShort, false)
	f.check(uniseg.GraphemeClusterCount(o.LabelShort) <= MaxLabelShort, at+"/label_short",
		"is longer than %d characters", MaxLabelShort)
	f.check(o.Color == "" || isColor(o.Color), at+"/color", "%q is not a colour like #a1b2c3", o.Color)
	f.check(o.Image == "" || isWebURL(o.Image), at+"/image", "is not an http or https URL of at most %d bytes", maxURL)
}

// keywords of different options must differ as posts are read, or a post with
// one could never name exactly one option.
func (f *faults) keywords(at string, words []string, seen map[string]bool) {
	f.check(len(words) <= maxKeywords, at+"/keywords", "there are more than %d", maxKeywords)
	own := map[string]bool{}
	for i, word := range words {
		pointer := fmt.Sprintf("%s/keywords/%d", at, i)
		found := len(f.fields)
		if f.text(pointer, word, true); len(f.fields) > found {
			continue
		}
		key := keyword.Fold(word)
		f.check(key != "", pointer, "%q has no word that a post could hold", word)
		f.check(!seen[key], pointer, "%q is another option's keyword, or is read as it: case and accents make no difference", word)
		own[key] = true
	}
	for key := range own {
		seen[key] = true
	}
}

func (f *faults) limits(p *audience.Poll) {
	l := p.Limits
	f.check(l.BallotsPerVoter <= MaxBallots, "/limits/ballots_per_voter", "is not in 0..%d", MaxBallots)
	oneOf(f, "/limits/on_repeat", l.OnRepeat, audience.Reject, audience.Replace, audience.Add)
	f.check(l.BallotsPerVoter != 0 || l.OnRepeat == audience.Add, "/limits/on_repeat",
		"is %q where ballots_per_voter is 0, which sets no limit", audience.Add)
	f.check(l.MinChoices >= 1, "/limits/min_choices", "is below 1")
	f.check(l.MaxChoices >= l.MinChoices, "/limits/max_choices", "is below min_choices")
	f.check(l.MaxChoices <= max(len(p.Options), 1), "/limits/max_choices", "is more than there are options")
	if p.Kind != audience.Score {
		f.check(l.ScoreMin == 0 && l.ScoreMax == 0, "/limits/score_max", "only score polls have scores")
		return
	}
	f.check(l.ScoreMin < l.ScoreMax, "/limits/score_max", "is not above score_min")
	f.check(l.ScoreMin >= -maxScore, "/limits/score_min", "is below -%d", maxScore)
	f.check(l.ScoreMax <= maxScore, "/limits/score_max", "is above %d", maxScore)
}

// regions are countries (ISO 3166-1) or their parts (ISO 3166-2).
func (f *faults) regions(regions []string) {
	f.check(len(regions) <= maxList, "/regions", "there are more than %d", maxList)
	for i, r := range regions {
		f.check(isRegion(r), fmt.Sprintf("/regions/%d", i), "%q is not a region like BR or BR-SP", r)
	}
}

func (f *faults) social(p *audience.Poll) {
	if p.Social == nil {
		return
	}
	oneOf(f, "/social/count", p.Social.Count, audience.CountAuthors, audience.CountPosts)
	oneOf(f, "/social/match", p.Social.Match, audience.MatchAnywhere, audience.MatchExact)
	f.check(p.Kind != audience.Score, "/social", "posts cannot give scores")
	f.check(p.Limits.MinChoices <= 1, "/social", "a post names one option, and min_choices asks for more")
}

func isColor(s string) bool {
	switch len(s) {
	case 4, 5, 7, 9:
	default:
		return false
	}
	return s[0] == '#' && strings.Trim(s[1:], "0123456789abcdefABCDEF") == ""
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxURL && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func isRegion(s string) bool {
	country, part, split := strings.Cut(s, "-")
	upper := func(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }
	if len(country) != 2 || !upper(country) {
		return false
	}
	return !split || len(part) >= 1 && len(part) <= 3 && strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}
