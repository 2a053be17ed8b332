package control

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
)

// State is the registry behind some offset of the control log. It is immutable:
// keep it as long as one answer needs it, and ask for a newer one next time.
// What its methods return is shared and must not be changed. Lists are in order
// of id.
type State struct {
	offset       int64
	shows        shelf[*Show]
	polls        shelf[*Poll]
	sources      shelf[*Source]
	destinations shelf[*Destination]
	tokens       shelf[*Token]
	topics       shelf[*Topic]
	posts        shelf[*PostDecision]
	// These give the id of a source, destination or token by the hash of its
	// secret.
	sourceKeys, feedTokens, apiTokens shelf[string]
	sealed                            shelf[uint64]
	cuts                              []CutDecision
	published                         *Published
	pending                           *RunRequest
}

// Offset is the next offset of the control log that is not in the state.
func (s *State) Offset() int64 { return s.offset }

// Show finds a show.
func (s *State) Show(id string) (*Show, bool) { return s.shows.get(id) }

// Shows lists all shows.
func (s *State) Shows() []*Show { return s.shows.sorted(nil) }

// Poll finds a poll.
func (s *State) Poll(id string) (*Poll, bool) { return s.polls.get(id) }

// Polls lists the polls of a show; "": of every show.
func (s *State) Polls(show string) []*Poll {
	return s.polls.sorted(func(p *Poll) bool { return show == "" || p.Definition.Show == show })
}

// Source finds a source.
func (s *State) Source(id string) (*Source, bool) { return s.sources.get(id) }

// Sources lists all sources.
func (s *State) Sources() []*Source { return s.sources.sorted(nil) }

// SourceByKey finds the source whose key has that hash.
func (s *State) SourceByKey(hash string) (*Source, bool) {
	return bySecret(&s.sourceKeys, &s.sources, hash)
}

// Destination finds a destination.
func (s *State) Destination(id string) (*Destination, bool) { return s.destinations.get(id) }

// Destinations lists all destinations.
func (s *State) Destinations() []*Destination { return s.destinations.sorted(nil) }

// DestinationByToken finds the destination whose feed token has that hash.
func (s *State) DestinationByToken(hash string) (*Destination, bool) {
	return bySecret(&s.feedTokens, &s.destinations, hash)
}

// Token finds an API token by its id.
func (s *State) Token(id string) (*Token, bool) { return s.tokens.get(id) }

// Tokens lists all API tokens.
func (s *State) Tokens() []*Token { return s.tokens.sorted(nil) }

// TokenByHash finds the API token whose secret has that hash. Whether it has
// expired is for the caller to see.
func (s *State) TokenByHash(hash string) (*Token, bool) {
	return bySecret(&s.apiTokens, &s.tokens, hash)
}

// Topic finds a topic.
func (s *State) Topic(id string) (*Topic, bool) { return s.topics.get(id) }

// Topics lists the topics of a show; "": of every show.
func (s *State) Topics(show string) []*Topic {
	return s.topics.sorted(func(t *Topic) bool { return show == "" || t.Show == show })
}

// Cuts lists every cut decided, ascending.
func (s *State) Cuts() []CutDecision { return slices.Clip(s.cuts) }

// LastCut is the latest cut decided; false before the first.
func (s *State) LastCut() (CutDecision, bool) {
	if len(s.cuts) == 0 {
		return CutDecision{}, false
	}
	return s.cuts[len(s.cuts)-1], true
}

// CutNumber finds the decision of a cut.
func (s *State) CutNumber(number uint64) (CutDecision, bool) {
	i, ok := slices.BinarySearchFunc(s.cuts, number, func(c CutDecision, n uint64) int {
		return cmp.Compare(c.Number, n)
	})
	if !ok {
		return CutDecision{}, false
	}
	return s.cuts[i], true
}

// Published is the latest generation; false before the first.
func (s *State) Published() (Published, bool) {
	if s.published == nil {
		return Published{}, false
	}
	return *s.published, true
}

// SealedAt is the cut that a round ended with.
func (s *State) SealedAt(k audience.RoundKey) (cut uint64, ok bool) { return s.sealed.get(roundID(k)) }

// PendingRun is the batch run that waits to be taken up.
func (s *State) PendingRun() (RunRequest, bool) {
	if s.pending == nil {
		return RunRequest{}, false
	}
	return *s.pending, true
}

func bySecret[V any](secrets *shelf[string], things *shelf[V], hash string) (V, bool) {
	id, ok := secrets.get(hash)
	if !ok || hash == "" {
		var none V
		return none, false
	}
	return things.get(id)
}

func roundID(k audience.RoundKey) string {
	return k.Poll + "/" + strconv.FormatUint(uint64(k.Round), 10)
}
