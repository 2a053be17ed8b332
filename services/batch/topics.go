package batch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
)

// everything is behind every offset of the control log.
const everything = math.MaxInt64

// definitions are the topics that were defined before an offset of the control
// log. The workers of the speed view count what stands behind a cut by topics at
// least as new as the cut's decision; a topic that came later is not wholly
// counted there, so a generation must not claim it.
func definitions(state *control.State, before int64) []topic.Definition {
	var all []topic.Definition
	for _, t := range state.Topics("") {
		if t.Offset >= before {
			continue
		}
		d := topic.Definition{Topic: t.Topic, Revision: t.Counted}
		if show, ok := state.Show(t.Show); ok {
			d.Languages = show.Languages
		}
		all = append(all, d)
	}
	return all
}

// topics are definitions, compiled.
type topics struct {
	*topic.Catalog

	defined []topic.Definition
	// prints are what decides how each subject is counted.
	prints map[topic.Subject]string
	// build names the models and all rules: enriched posts of one build are alike.
	build string
}

func compile(defined []topic.Definition) (*topics, error) {
	catalog, err := topic.Compile(defined, nil)
	if err != nil {
		return nil, err
	}
	t := &topics{Catalog: catalog, defined: defined, prints: map[topic.Subject]string{}}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", topic.Version())
	for i := range catalog.Len() {
		s := catalog.Subject(i)
		t.prints[s] = catalog.Fingerprint(i)
		fmt.Fprintf(h, "%s %s\n", s.Topic, t.prints[s])
	}
	t.build = hex.EncodeToString(h.Sum(nil)[:10])
	return t, nil
}

// only are those of some subjects.
func (t *topics) only(some map[topic.Subject]bool) (*topics, error) {
	if len(some) == len(t.prints) {
		return t, nil
	}
	var defined []topic.Definition
	for i := range t.defined {
		if some[t.defined[i].Subject()] {
			defined = append(defined, t.defined[i])
		}
	}
	return compile(defined)
}

// counted are the subjects of which a generation has exactly what these topics
// would count again, and where.
func (t *topics) counted(by *views.Generation) map[topic.Subject]views.TopicRef {
	found := map[topic.Subject]views.TopicRef{}
	if by == nil {
		return found
	}
	of := map[string]views.TopicRef{}
	for _, ref := range by.Topics {
		of[ref.Topic] = ref
	}
	for s, mine := range t.prints {
		if ref, ok := of[s.Topic]; ok && ref.Fingerprint == mine {
			found[s] = ref
		}
	}
	return found
}

// are says whether a generation counted these topics and no others.
func (t *topics) are(by *views.Generation) bool {
	if len(by.Topics) != t.Len() {
		return false
	}
	for _, ref := range by.Topics {
		if t.prints[topic.Subject{Topic: ref.Topic, Revision: ref.Revision}] != ref.Fingerprint {
			return false
		}
	}
	return true
}

// compiled keeps the topics compiled last: there are a thousand rules, and they
// change seldom.
type compiled struct {
	mu     sync.Mutex
	text   []byte
	topics *topics
}

func (c *compiled) of(defined []topic.Definition) (*topics, error) {
	text, err := json.Marshal(defined)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.topics == nil || !bytes.Equal(text, c.text) {
		t, err := compile(defined)
		if err != nil {
			return nil, err
		}
		c.topics, c.text = t, text
	}
	return c.topics, nil
}
