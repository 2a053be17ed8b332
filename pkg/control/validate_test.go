package control_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
)

func pointers(err *fault.Error) []string {
	if err == nil {
		return nil
	}
	var out []string
	for _, f := range err.Fields {
		out = append(out, f.Pointer)
	}
	slices.Sort(out)
	return out
}

func TestValidatePoll(t *testing.T) {
	tests := []struct {
		name   string
		change func(*audience.Poll)
		want   []string
	}{
		{"as it is", func(*audience.Poll) {}, nil},
		{"path in the id", func(p *audience.Poll) { p.ID = "../x" }, []string{"/id"}},
		{"no show", func(p *audience.Poll) { p.Show = "" }, []string{"/show"}},
		{"no kind", func(p *audience.Poll) { p.Kind = "" }, []string{"/kind"}},
		{"blank question", func(p *audience.Poll) { p.Question = " \n" }, []string{"/question"}},
		{"bell in the question", func(p *audience.Poll) { p.Question = "a\ab" }, []string{"/question"}},
		{"line end in a label", func(p *audience.Poll) { p.Options[0].Label = "a\nb" }, nil},
		{"one option", func(p *audience.Poll) { p.Options = p.Options[:1] }, []string{"/options"}},
		{"a reaction of one option", func(p *audience.Poll) { p.Options, p.Kind = p.Options[:1], audience.React }, nil},
		{"the same option twice", func(p *audience.Poll) { p.Options[1].ID = "a" }, []string{"/options/1/id"}},
		{"too many options", func(p *audience.Poll) {
			for i := range control.MaxOptions {
				p.Options = append(p.Options, audience.Option{ID: fmt.Sprint("o", i), Label: "L"})
			}
		}, []string{"/options"}},
		{"colour", func(p *audience.Poll) { p.Options[0].Color = "red" }, []string{"/options/0/color"}},
		{"image", func(p *audience.Poll) { p.Options[1].Image = "javascript:alert(1)" }, []string{"/options/1/image"}},
		{"long short label", func(p *audience.Poll) { p.Options[0].LabelShort = "thirteen char" }, []string{"/options/0/label_short"}},
		{"12 families", func(p *audience.Poll) { p.Options[0].LabelShort = strings.Repeat("👩‍👩‍👧", 12) }, nil},
		{"a keyword of two options", func(p *audience.Poll) {
			p.Options[0].Keywords, p.Options[1].Keywords = []string{"#Ana", "ana"}, []string{"ANA"}
		}, []string{"/options/1/keywords/0"}},
		{"keywords that posts cannot tell apart", func(p *audience.Poll) {
			p.Options[0].Keywords, p.Options[1].Keywords = []string{"Ána", "vai, Brasil!"}, []string{"ana", "#VAI  brasil"}
		}, []string{"/options/1/keywords/0", "/options/1/keywords/1"}},
		{"keywords that differ", func(p *audience.Poll) {
			p.Options[0].Keywords, p.Options[1].Keywords = []string{"ana", "👍"}, []string{"@ana", "ana maria", "👎"}
		}, nil},
		{"keywords without a word", func(p *audience.Poll) {
			p.Options[0].Keywords, p.Options[1].Keywords = []string{"...", "#"}, []string{"https://x.test/ana"}
		}, []string{"/options/0/keywords/0", "/options/0/keywords/1", "/options/1/keywords/0"}},
		{"a label that nobody sees", func(p *audience.Poll) { p.Options[0].Label = "\u200b\u202e \ufeff" }, []string{"/options/0/label"}},
		{"ballots", func(p *audience.Poll) { p.Limits.BallotsPerVoter = 1001 }, []string{"/limits/ballots_per_voter"}},
		{"no limit, and reject", func(p *audience.Poll) { p.Limits.BallotsPerVoter = 0 }, []string{"/limits/on_repeat"}},
		{"more choices than options", func(p *audience.Poll) { p.Limits.MaxChoices = 3 }, []string{"/limits/max_choices"}},
		{"fewer choices than asked", func(p *audience.Poll) { p.Limits.MinChoices = 2 }, []string{"/limits/max_choices"}},
		{"no choices", func(p *audience.Poll) { p.Limits.MinChoices = 0 }, []string{"/limits/min_choices"}},
		{"scores of a choice", func(p *audience.Poll) { p.Limits.ScoreMax = 10 }, []string{"/limits/score_max"}},
		{"score without a range", func(p *audience.Poll) { p.Kind = audience.Score }, []string{"/limits/score_max"}},
		{"reveal", func(p *audience.Poll) { p.Reveal = "sometimes" }, []string{"/reveal"}},
		{"denominator", func(p *audience.Poll) { p.Denominator = "" }, []string{"/denominator"}},
		{"region", func(p *audience.Poll) { p.Regions = []string{"BR", "BR-SP", "brazil"} }, []string{"/regions/2"}},
		{"social", func(p *audience.Poll) { p.Social = &audience.Social{Count: "likes", Match: "exact"} }, []string{"/social/count"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := final()
			p.Options = slices.Clone(p.Options)
			tt.change(&p)
			got := control.Validate(&p)
			if diff := cmp.Diff(tt.want, slices.Compact(pointers(got))); diff != "" {
				t.Errorf("%v\n%s", got, diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	form := control.PollForm{ID: "p", Show: "s", Kind: audience.React, Question: "?", Options: []audience.Option{{Label: "A"}, {ID: "option-1", Label: "B"}}}
	p := form.Poll()
	if err := control.Validate(&p); err != nil {
		t.Fatal(err)
	}
	want := audience.Limits{OnRepeat: audience.Add, MinChoices: 1, MaxChoices: 1}
	if diff := cmp.Diff(want, p.Limits); diff != "" {
		t.Error(diff)
	}
	if p.Options[0].ID != "option-2" || p.Reveal != audience.RevealManual || p.Denominator != audience.OfVotes {
		t.Errorf("%+v", p)
	}
	form.Kind = audience.Score
	if p = form.Poll(); p.Limits.ScoreMax != 10 || p.Limits.BallotsPerVoter != 1 || p.Limits.OnRepeat != audience.Reject {
		t.Errorf("%+v", p.Limits)
	}
}

func TestValidateThings(t *testing.T) {
	tests := []struct {
		name string
		got  *fault.Error
		want []string
	}{
		{"show", control.ValidateShow(&audience.Show{ID: "s", Title: "S", Timezone: "America/Sao_Paulo", Locale: "pt-BR",
			Markets: []string{"BR"}, Languages: []string{"pt"}}), nil},
		{"bad show", control.ValidateShow(&audience.Show{ID: "S", Timezone: "Local", Locale: "x", Markets: []string{"BRA"},
			Languages: []string{"p t"}}), []string{"/id", "/languages/0", "/locale", "/markets/0", "/timezone", "/title"}},
		{"source", control.ValidateSource(&audience.Source{ID: "s", Show: "g", Connector: "replay",
			Settings: map[string]any{"file": "a/b.ndjson", "speed": 10.0, "loop": true}}), nil},
		{"bad source", control.ValidateSource(&audience.Source{ID: "s", Show: "g", Connector: "replay",
			Settings: map[string]any{"file": "../b", "speed": -1.0, "sp/eed": 1}, Budget: &audience.Budget{Per: "week"}}),
			[]string{"/budget/per", "/budget/posts", "/settings/file", "/settings/speed", "/settings/sp~1eed"}},
		{"connector", control.ValidateSource(&audience.Source{ID: "s", Show: "g", Connector: "pigeon"}), []string{"/connector"}},
		{"destination", control.ValidateDestination(&audience.Destination{ID: "d", Show: "g", Audience: "onair",
			Aliases: map[string]string{"votes": "f1"}, Editorial: map[string][]string{"p": {"b", "a"}}}), nil},
		{"bad destination", control.ValidateDestination(&audience.Destination{ID: "d", Show: "g", Audience: "all", Slots: -1, Locale: "??",
			Aliases: map[string]string{"votes": "f 1", "pct": "f1", "rank": "f1"}, Editorial: map[string][]string{"p": {"b", "b"}}}),
			[]string{"/aliases/rank", "/aliases/votes", "/audience", "/editorial/p/1", "/locale", "/slots"}},
		{"token", control.ValidateToken(&audience.Token{ID: "t", Role: "king"}), []string{"/name", "/role"}},
		{"topic", control.ValidateTopic(&audience.Topic{ID: "t", Show: "g", Title: "T"}), []string{"/rule"}},
		{"filters", control.ValidateTopic(&audience.Topic{ID: "t", Show: "g", Title: "T", Rule: "gol", Filters: &audience.TopicFilters{
			Languages: []string{"pt-BR"}, Countries: []string{"BR"}, MinAccountAgeDays: 30,
			BlockWords: []string{"fora de jogo", "#bet", "🤮"}, BlockAuthors: []string{"@spam"}}}), nil},
		{"bad topic", control.ValidateTopic(&audience.Topic{ID: "t", Show: "g", Title: "T", Rule: "gol AND (", Filters: &audience.TopicFilters{
			Languages: []string{""}, Countries: []string{"BR", "BR-SP", "Brazil"}, MinAccountAgeDays: 40_000,
			BlockWords: []string{"ok", "?!", ""}, BlockAuthors: []string{"@"}}}),
			[]string{"/filters/block_authors/0", "/filters/block_words/1", "/filters/block_words/2", "/filters/countries/1",
				"/filters/countries/2", "/filters/languages/0", "/filters/min_account_age_days", "/rule"}},
		{"post", control.ValidatePostCommand(&control.PostCommand{Command: "like"}), []string{"/command"}},
		{"extend by nothing", control.ValidateCommand(&audience.Command{Command: "extend"}), []string{"/seconds"}},
		{"extend both ways", control.ValidateCommand(&audience.Command{Command: "extend", Seconds: 5, At: t0}), []string{"/seconds"}},
		{"close in 5 s", control.ValidateCommand(&audience.Command{Command: "close", Seconds: 5}), []string{"/seconds"}},
		{"open to", control.ValidateCommand(&audience.Command{Command: "open", Audience: "onair"}), []string{"/audience"}},
		{"reveal to the producer", control.ValidateCommand(&audience.Command{Command: "reveal", Audience: "producer"}), []string{"/audience"}},
		{"no command", control.ValidateCommand(&audience.Command{}), []string{"/command"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, pointers(tt.got)); diff != "" {
			t.Errorf("%s: %v\n%s", tt.name, tt.got, diff)
		}
	}
}

// FuzzApply: no payload breaks the registry, and what is refused changes nothing
// that can be seen but the offset.
func FuzzApply(f *testing.F) {
	f.Add("poll.command", "final", []byte(`{"command":"open"}`), uint64(0))
	f.Add("poll.put", "final", []byte(`{"options":null}`), uint64(1))
	f.Add("cut", "", []byte(`{"number":1,"seals":[{"poll":"final","round":9}]}`), uint64(0))
	f.Add("published", "", []byte(`{"generation":1,"floors":{"a":1}}`), uint64(0))
	f.Fuzz(func(t *testing.T, kind, subject string, payload []byte, base uint64) {
		d := onStage(t, nil)
		before := see(d.m.State())
		v := d.m.Apply(control.Event{Kind: kind, Subject: subject, Payload: payload, Base: base, At: t0}, d.offset)
		after := see(d.m.State())
		if v.Err == nil {
			return
		}
		after.Offset = before.Offset
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatal(diff)
		}
	})
}
