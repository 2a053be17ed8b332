package control

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones are judged alike on every machine

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/rule"
	"golang.org/x/text/language"
)

// maxSettings bounds a source's settings and a destination's aliases.
const maxSettings = 1000

// columnName is what aliases may name: it must do as an XML element.
var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,62}$`)

// ValidateShow says what is wrong with a show.
func ValidateShow(s *audience.Show) *fault.Error {
	var f faults
	f.slug("/id", s.ID)
	f.text("/title", s.Title, true)
	_, err := time.LoadLocation(s.Timezone)
	f.check(err == nil && s.Timezone != "" && s.Timezone != "Local", "/timezone",
		"%q is not a time zone like America/Sao_Paulo", s.Timezone)
	f.locale("/locale", s.Locale)
	f.check(len(s.Markets) <= maxList, "/markets", "there are more than %d", maxList)
	for i, m := range s.Markets {
		region, err := language.ParseRegion(m)
		f.check(err == nil && len(m) == 2 && region.IsCountry(), fmt.Sprintf("/markets/%d", i),
			"%q is not a country like BR", m)
	}
	f.languages("/languages", s.Languages)
	if m := s.Moderation; m != nil {
		f.rule("/moderation/reject", m.Reject)
		f.rule("/moderation/approve", m.Approve)
	}
	return f.err()
}

// rule judges the grammar of a rule that may be left out; a fault names the place
// in it.
func (f *faults) rule(pointer, text string) {
	if text == "" {
		return
	}
	if _, err := rule.Parse(text); err != nil {
		f.add(pointer, "%v", err)
	}
}

func (f *faults) locale(pointer, s string) {
	_, err := language.Parse(s)
	f.check(s != "" && err == nil, pointer, "%q is not a locale like pt-BR", s)
}

func (f *faults) languages(pointer string, languages []string) {
	f.check(len(languages) <= maxList, pointer, "there are more than %d", maxList)
	for i, l := range languages {
		_, err := language.Parse(l)
		f.check(l != "" && err == nil, fmt.Sprintf("%s/%d", pointer, i), "%q is not a language like pt", l)
	}
}

// ValidateSource says what is wrong with a source.
func ValidateSource(s *audience.Source) *fault.Error {
	var f faults
	f.slug("/id", s.ID)
	f.slug("/show", s.Show)
	oneOf(&f, "/connector", s.Connector, connectorNames()...)
	f.check(len(s.Settings) <= maxSettings, "/settings", "there are more than %d", maxSettings)
	if c, ok := ConnectorOf(s.Connector); ok {
		c.judge(&f, s.Settings)
	}
	for i, id := range s.Polls {
		f.slug(fmt.Sprintf("/polls/%d", i), id)
	}
	for i, id := range s.Topics {
		f.slug(fmt.Sprintf("/topics/%d", i), id)
	}
	f.budget(s.Budget)
	return f.err()
}

// budget judges a source's budget: at least one limit, and a price where the
// limit is money.
func (f *faults) budget(b *audience.Budget) {
	if b == nil {
		return
	}
	f.check(b.Posts >= 0, "/budget/posts", "is negative")
	f.check(b.Units >= 0, "/budget/units", "is negative")
	f.check(b.Money >= 0, "/budget/money", "is negative")
	f.check(b.Posts > 0 || b.Units > 0 || b.Money > 0, "/budget/posts", "is not positive, and neither is units or money")
	f.check(b.CentsPerPost >= 0, "/budget/cents_per_post", "is negative")
	f.check(b.CentsPerUnit >= 0, "/budget/cents_per_unit", "is negative")
	f.check(b.Money <= 0 || b.CentsPerPost > 0 || b.CentsPerUnit > 0, "/budget/cents_per_post", "is missing: money needs a price of a post or of a unit")
	oneOf(f, "/budget/per", b.Per, "hour", "day", "show")
	oneOf(f, "/budget/overflow", b.Overflow, "", audience.OverflowSample, audience.OverflowStop)
}

// ValidateDestination says what is wrong with a destination.
func ValidateDestination(d *audience.Destination) *fault.Error {
	var f faults
	f.slug("/id", d.ID)
	f.slug("/show", d.Show)
	f.text("/name", d.Name, false)
	oneOf(&f, "/audience", d.Audience, audience.OnAir, audience.Public, audience.Producer)
	f.check(d.Slots >= 0 && d.Slots <= MaxOptions, "/slots", "is not in 0..%d", MaxOptions)
	if d.Locale != "" {
		f.locale("/locale", d.Locale)
	}
	f.aliases(d.Aliases)
	f.check(len(d.Allow) <= maxList, "/allow", "there are more than %d", maxList)
	for i, text := range d.Allow {
		_, err := ParseNetwork(text)
		f.check(err == nil, fmt.Sprintf("/allow/%d", i), "%q is not an address or a network like 10.0.0.0/8", text)
	}
	f.check(len(d.Editorial) <= maxSettings, "/editorial", "there are more than %d", maxSettings)
	for _, poll := range slices.Sorted(maps.Keys(d.Editorial)) {
		at := "/editorial/" + escape(poll)
		f.slug(at, poll)
		seen := map[string]bool{}
		for i, option := range d.Editorial[poll] {
			f.slug(fmt.Sprintf("%s/%d", at, i), option)
			f.check(!seen[option], fmt.Sprintf("%s/%d", at, i), "%q stands twice", option)
			seen[option] = true
		}
	}
	return f.err()
}

// ParseNetwork reads a network in CIDR form, or one address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().WithZone("").Prefix(a.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

func (f *faults) aliases(aliases map[string]string) {
	f.check(len(aliases) <= maxSettings, "/aliases", "there are more than %d", maxSettings)
	seen := map[string]bool{}
	for _, column := range slices.Sorted(maps.Keys(aliases)) {
		at, name := "/aliases/"+escape(column), aliases[column]
		f.check(columnName.MatchString(column), at, "%q is not a column", column)
		f.check(columnName.MatchString(name), at, "%q is not a name of letters, digits, _, - and .", name)
		f.check(!seen[name], at, "%q stands for another column already", name)
		seen[name] = true
	}
}

// escape writes a key for a JSON pointer (RFC 6901).
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// ValidateToken says what is wrong with an API token.
func ValidateToken(t *audience.Token) *fault.Error {
	var f faults
	f.slug("/id", t.ID)
	f.text("/name", t.Name, true)
	oneOf(&f, "/role", t.Role, audience.RoleAdmin, audience.RoleProducer, audience.RoleModerator, audience.RoleObserver)
	if t.Show != "" {
		f.slug("/show", t.Show)
	}
	return f.err()
}

// ValidateTopic says what is wrong with a topic.
func ValidateTopic(t *audience.Topic) *fault.Error {
	var f faults
	f.slug("/id", t.ID)
	f.slug("/show", t.Show)
	f.text("/title", t.Title, true)
	f.check(strings.TrimSpace(t.Rule) != "", "/rule", "must not be empty")
	f.rule("/rule", strings.TrimSpace(t.Rule))
	if t.Filters != nil {
		f.topicFilters(t.Filters)
	}
	return f.err()
}

// maxBlocked bounds the words and the authors that a topic keeps out.
const maxBlocked = rule.MaxTerms

func (f *faults) topicFilters(t *audience.TopicFilters) {
	f.languages("/filters/languages", t.Languages)
	f.check(len(t.Countries) <= maxList, "/filters/countries", "there are more than %d", maxList)
	for i, c := range t.Countries {
		f.check(len(c) == 2 && isRegion(c), fmt.Sprintf("/filters/countries/%d", i), "%q is not a country like BR", c)
	}
	f.check(t.MinAccountAgeDays <= 36_500, "/filters/min_account_age_days", "is more than 36500")
	f.blocked("/filters/block_words", t.BlockWords, rule.AnyOf)
	f.blocked("/filters/block_authors", t.BlockAuthors, rule.AnyFrom)
}

func (f *faults) blocked(pointer string, list []string, compile func([]string) (*rule.Rule, error)) {
	f.check(len(list) <= maxBlocked, pointer, "there are more than %d", maxBlocked)
	for i, text := range list[:min(len(list), maxBlocked)] {
		_, err := compile([]string{text})
		f.check(err == nil, fmt.Sprintf("%s/%d", pointer, i), "%v", err)
	}
}

// ValidatePostCommand says what is wrong with a command to a post. Commands are
// few and say who gave them, so a reason may be left out.
func ValidatePostCommand(c *PostCommand) *fault.Error {
	var f faults
	oneOf(&f, "/command", c.Command, PostApprove, PostReject, PostFeature)
	f.check(!c.Deleted || c.Command == PostReject, "/deleted", "goes with reject only")
	f.text("/reason", c.Reason, false)
	f.check(len(c.Topics) <= maxList, "/topics", "there are more than %d", maxList)
	return f.err()
}
