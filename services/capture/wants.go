package capture

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/rule"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// envOf is what a source's connector works with.
func (s *Service) envOf(src *control.Source, log *slog.Logger) connect.Env {
	topics := func() []audience.Topic { return wanted(s.control.State(), src, s.millis()) }
	return connect.Env{
		Now: s.now, HTTP: s.outward, Logger: log, Source: src.ID, Known: func(id string) bool { _, ok := s.control.State().Source(id); return ok },
		ReplayDir: s.cfg.ReplayDir, Topics: topics, Track: func() []string { return connect.Terms(topics()) },
		Changed: s.control.Changed,
	}
}

// wanted are the topics that a source listens for, and, as topics of their own,
// the keywords of the polls that it may vote in: a platform has to be asked for
// votes, too.
func wanted(state *control.State, src *control.Source, now audience.Millis) (topics []audience.Topic) {
	for _, t := range state.Topics(src.Show) {
		if len(src.Topics) == 0 || slices.Contains(src.Topics, t.ID) {
			topics = append(topics, t.Topic)
		}
	}
	for _, p := range state.Polls(src.Show) {
		if d := &p.Definition; d.Social != nil && mayVoteIn(src, d) && votable(p.At(now).Phase) {
			topics = append(topics, keywordTopics(d)...)
		}
	}
	return topics
}

// votable says whether a poll takes votes, or soon may.
func votable(p audience.Phase) bool { return p != audience.Closed && p != audience.Verified }

// keywordTopics ask for the keywords of a poll, in rules of the length that rules
// may have.
func keywordTopics(p *audience.Poll) (topics []audience.Topic) {
	var terms []string
	length := 0
	flush := func() {
		if len(terms) > 0 {
			id := fmt.Sprintf("poll:%s/%d", p.ID, len(topics))
			topics = append(topics, audience.Topic{ID: id, Show: p.Show, Title: p.Question, Rule: strings.Join(terms, " OR ")})
		}
		terms, length = nil, 0
	}
	for i := range p.Options {
		for _, word := range p.Options[i].Keywords {
			term := termOf(word)
			if length += len(term) + len(" OR "); length > rule.MaxLength || len(terms) == rule.MaxTerms {
				flush()
				length = len(term)
			}
			terms = append(terms, term)
		}
	}
	flush()
	return topics
}

// termOf writes a keyword as the term of a rule. #ana and ana are the same
// keyword, and platforms find the one by the other.
func termOf(keyword string) string {
	return `"` + strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(keyword), "#"), `"`, " ") + `"`
}

// newOutward is the client that connectors reach their platforms by. It has no
// bound on whole answers, for streams have no end; a request's context bounds it.
func newOutward() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 4
	return &http.Client{Transport: t}
}
