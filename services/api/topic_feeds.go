package api

import (
	"crypto/sha256"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/feed"
	"github.com/clamor-live/clamor/services/api/internal/listen"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

const (
	// maxTopicForms bounds the feeds of topics that are held.
	maxTopicForms = 4096
	// mapFile is the file of a topic's map.
	mapFile = "map.json"
	// shownPosts is how many posts a feed has at most.
	shownPosts = 100
)

// topicFeeds are the feeds of topics as they were last sent. A feed keeps its
// sequence for as long as it shows the same, however often its topic's picture
// changes elsewhere.
type topicFeeds struct {
	mu   sync.Mutex
	held map[topicForm]*topicSheet
}

// topicForm names one feed.
type topicForm struct {
	destination        *control.Destination
	topic, file, query string
	// plain is without the destination's aliases.
	plain bool
}

// topicSheet is a feed as it was last sent.
type topicSheet struct {
	basis    topicBasis
	print    [32]byte
	stamp    *live.Stamp
	rendered *live.Rendered
}

// topicBasis is what a feed was made from; while it is the same, so is the feed.
type topicBasis struct {
	picture *listen.Picture
	// state and recent are of feeds of posts only.
	state  *control.State
	recent *listen.Recent
}

func (f *topicFeeds) find(k topicForm) *topicSheet {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held[k]
}

func (f *topicFeeds) keep(k topicForm, e *topicSheet) *topicSheet {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.held[k]; now != nil && now.stamp.Seq > e.stamp.Seq {
		return now // another request was quicker
	}
	if f.held == nil || len(f.held) >= maxTopicForms {
		f.held = map[topicForm]*topicSheet{}
	}
	f.held[k] = e
	return e
}

// heardBy finds what a destination gets of a topic.
func (s *Service) heardBy(d *control.Destination, id string) (*listen.Picture, bool) {
	p, ok := s.topics.Picture(id)
	return p, ok && p.Topic.Show == d.Show
}

// topicDoor serves one format of one family.
func (s *Service) topicDoor(family feed.Family, format feed.Format) gin.HandlerFunc {
	return func(c *gin.Context) {
		d, ok := s.destination(c)
		if !ok {
			noFeed(c)
			return
		}
		e, ok := s.topicSheet(c, topicForm{d, c.Param("topic"), string(format), c.Request.URL.RawQuery, false}, family)
		if !ok {
			noFeed(c)
			return
		}
		s.send(c, e.rendered, e.stamp)
	}
}

// topicSheet is a feed as it is now.
func (s *Service) topicSheet(c *gin.Context, k topicForm, family feed.Family) (*topicSheet, bool) {
	p, ok := s.heardBy(k.destination, k.topic)
	if !ok {
		return nil, false
	}
	if len(k.query) > maxQuery {
		k.query = "" // nobody's that is worth heeding
	}
	basis := topicBasis{picture: p}
	if family == feed.FamilyPosts {
		basis.state = s.deps.Control.State()
		basis.recent, _ = s.topics.Recent(c.Request.Context(), p.Topic.ID) // without it, those that are kept
	}
	old := s.sheets.find(k)
	if old != nil && old.basis == basis {
		return old, true
	}
	var kept []moderated
	if family == feed.FamilyPosts {
		kept = s.shown(&basis, k.destination.Audience)
	}
	values, _ := url.ParseQuery(k.query) // what can be read of it; the rest is ignored
	opts := feed.ParseTopic(values)
	d := k.destination.Destination
	if k.plain {
		d.Aliases = nil
	}
	in, err := topicFeed(p, d, family, values, opts, kept)
	if err != nil {
		s.deps.Logger.Error("a topic's feed cannot be made", "topic", k.topic, "error", err)
		return old, old != nil
	}
	return s.sheets.keep(k, stamped(in, feed.Format(k.file), opts, basis, old)), true
}

// stamped renders a feed; one that shows the same as before keeps its sequence.
func stamped(in feed.TopicFeed, format feed.Format, opts feed.Options, basis topicBasis, old *topicSheet) *topicSheet {
	fingerprint := feed.FingerprintTopic(in, opts)
	h := in.Head()
	if old != nil && old.print == fingerprint && !h.Stale {
		return &topicSheet{basis, fingerprint, old.stamp, old.rendered}
	}
	p := basis.picture
	stamp := live.NewStamp(p.Seq, p.AsOf)
	if basis.state != nil { // decisions change what is shown of the same picture
		stamp = live.NewStamp(p.Seq+1000*max(0, basis.state.Offset()-p.Control), p.AsOf)
	}
	h.Seq, h.AsOf = uint64(max(0, stamp.Seq)), stamp.AsOf
	body, contentType := in.Render(format, opts)
	return &topicSheet{basis, fingerprint, &stamp, dressed(body, contentType)}
}

// topicFeed gathers what a feed shows.
func topicFeed(p *listen.Picture, d audience.Destination, family feed.Family, values url.Values, opts feed.Options, kept []moderated) (feed.TopicFeed, error) {
	w := feedWindow(values.Get("window"), p)
	h := feed.Heard{
		Show: p.Show, Topic: p.Topic.Topic, Revision: p.Topic.Revision, Destination: d, Minutes: w.Len(),
		Complete: p.Complete, Stale: p.Stale, AgeMillis: p.AgeMS, Generation: p.Generation,
	}
	switch family {
	case feed.FamilyTrends:
		return themed(p, h, w, values.Get("kind"), feedTop(opts, d)), nil
	case feed.FamilyPosts:
		return &feed.Shown{Heard: h, Posts: shownOf(kept)}, nil
	}
	by, err := dimensionOf(values.Get("by"))
	if err != nil || by == "" {
		by = topic.ByHashtag
	}
	q := listen.Query{Window: w, By: by, Top: feedTop(opts, d), Compare: w.Before().From >= p.From}
	r, err := p.Report(q)
	if err != nil {
		return nil, err
	}
	labels := listen.NewLabels(opts.Locale, d.Locale, p.Show.Locale)
	in := &feed.Parted{
		Heard: h, Figures: r.Figures, Mood: r.Mood, PostsChange: r.PostsChange, AuthorsChange: r.AuthorsChange,
		Rate: r.Sampled.Rate, Estimated: r.Sampled.Estimated, By: by, Parts: always(by, r.Parts), Exclusive: exclusive(by),
	}
	for i := range in.Parts {
		in.Labels = append(in.Labels, labels.Of(by, in.Parts[i].Key))
	}
	return in, nil
}

// always adds the moods that nobody is in: a graphic has a place for each.
func always(by topic.Dimension, parts []topic.Compared) []topic.Compared {
	if by != topic.BySentiment {
		return parts
	}
	for _, mood := range []string{"pos", "neu", "neg"} {
		if !slices.ContainsFunc(parts, func(p topic.Compared) bool { return p.Key == mood }) {
			parts = append(parts, topic.Compared{Part: topic.Part{Key: mood}})
		}
	}
	return parts
}

// exclusive says whether a post is in one part at most.
func exclusive(by topic.Dimension) bool {
	return by != topic.ByHashtag && by != topic.ByWord && by != topic.ByLink
}

func themed(p *listen.Picture, h feed.Heard, w topic.Window, kind string, top int) *feed.Themed {
	in := &feed.Themed{Heard: h, Kind: feed.KindThemes, Posts: p.Sum(w.From, w.To).Figures().Posts}
	t := p.Trends(w, top)
	in.Themes = t.Themes
	switch kind {
	case feed.KindRisers:
		in.Kind, in.Themes = kind, t.Risers
	case feed.KindHashtags:
		in.Kind = kind
		in.Themes = slices.DeleteFunc(p.Trends(w, maxParts).Themes, func(t topic.Theme) bool { return !t.Hashtag })
		in.Themes = in.Themes[:min(top, len(in.Themes))]
	}
	return in
}

// feedWindow reads a window; one that makes no sense is the default, and a longer
// one than is held is what is held.
func feedWindow(text string, p *listen.Picture) topic.Window {
	minutes, err := minutesOf(text, defaultWindow)
	if err != nil {
		minutes = defaultWindow
	}
	return topic.Window{From: max(p.Now+1-minutes, p.From), To: p.Now + 1}
}

// feedTop is how many parts a feed needs.
func feedTop(opts feed.Options, d audience.Destination) int {
	top := feed.RowsByDefault
	if opts.Top > 0 {
		top = opts.Top
	}
	return min(max(top, opts.Slots, d.Slots), maxParts)
}

// shown are the posts of a topic that an audience may see, the featured first.
// Nothing goes on air that nobody let through; the producer sees all that nobody
// rejected, and may command what she sees.
func (s *Service) shown(b *topicBasis, who audience.Audience) []moderated {
	t := b.picture.Topic
	all := heard(b.state, s.kept.of(b.state, t.Show, t.ID), b.recent)
	all = slices.DeleteFunc(all, func(m moderated) bool {
		return m.verdict == audience.Rejected || m.verdict == audience.Pending && who != audience.Producer
	})
	slices.SortStableFunc(all, func(a, b moderated) int {
		switch a.verdict {
		case b.verdict:
			return 0
		case audience.Featured:
			return -1
		}
		return 1
	})
	all = all[:min(len(all), shownPosts)]
	listed := make([]speed.RecentPost, len(all))
	for i := range all {
		listed[i] = all[i].RecentPost
	}
	s.topics.Shown(listed...)
	return all
}

func shownOf(posts []moderated) (out []feed.ShownPost) {
	for i := range posts {
		p := &posts[i]
		shown := feed.ShownPost{
			Key: p.Key(), Platform: p.Platform, AuthorName: p.Author.Name, AuthorHandle: p.Author.Handle, Text: p.Text,
			Language: p.Language, State: stateOf(p.verdict), CreatedAt: p.CreatedAt, ReceivedAt: p.ReceivedAt,
			Featured: p.verdict == audience.Featured,
		}
		if len(p.Media) > 0 {
			shown.Media = p.Media[0]
		}
		out = append(out, shown)
	}
	return out
}

// topicMapFeed serves a topic's map.
func (s *Service) topicMapFeed(c *gin.Context) {
	d, ok := s.destination(c)
	if !ok {
		noFeed(c)
		return
	}
	p, ok := s.heardBy(d, c.Param("topic"))
	if !ok {
		noFeed(c)
		return
	}
	e := s.mapSheet(p, feedWindow(c.Query("window"), p))
	s.send(c, e.rendered, e.stamp)
}

// mapSheet is a map as it is now. It keeps its sequence, and its window, for as
// long as it shows the same.
func (s *Service) mapSheet(p *listen.Picture, w topic.Window) *topicSheet {
	k := topicForm{topic: p.Topic.ID, file: mapFile, query: strconv.FormatInt(w.Len(), 10)}
	basis := topicBasis{picture: p}
	old := s.sheets.find(k)
	if old != nil && old.basis == basis {
		return old
	}
	m, err := mapOf(p, w)
	if err != nil { // an engine on air gets a map all the same
		m = &mapReply{Type: "FeatureCollection", topicHead: headOf(p, w), Features: []mapFeature{}}
		m.Stale = true
	}
	e := &topicSheet{basis: basis, print: m.print(), stamp: &p.Stamp}
	if old != nil && old.print == e.print && !m.Stale {
		e.stamp, e.rendered = old.stamp, old.rendered
	} else {
		e.rendered = dressed(mapBody(m), jsonType)
	}
	return s.sheets.keep(k, e)
}

// print stands for all that a map shows but when it was made.
func (m *mapReply) print() [32]byte {
	bare := *m
	bare.Seq, bare.AsOf, bare.From, bare.To, bare.AgeMS, bare.Offsets = 0, 0, 0, 0, 0, nil
	return sha256.Sum256(mapBody(&bare))
}

func mapBody(m *mapReply) []byte {
	body, err := marshal(m)
	if err != nil {
		panic(err) // numbers and strings only
	}
	return body
}

// topicSource is a topic's figures, whole, whenever they change.
func (s *Service) topicSource(c *gin.Context) (source, bool) {
	d, ok := s.destination(c)
	if !ok {
		return source{}, false
	}
	asked := c.Request.URL.Query()
	asked.Del(resumeQuery) // who comes back is shown the same as before
	k := topicForm{
		topic: c.Param("topic"), file: string(feed.TopicJSON), query: asked.Encode(),
		plain: c.Query("plain") == "1", // our own overlay needs the columns under their own names
	}
	id, hash := d.ID, d.TokenHash
	if _, ok := s.heardBy(d, k.topic); !ok {
		return source{}, false
	}
	return source{
		change: "stats",
		watch: func() (scene, <-chan struct{}, bool) {
			d, ok := s.deps.Control.State().DestinationByToken(hash)
			if !ok || d.ID != id || !allows(d, c) {
				return scene{}, nil, false
			}
			k.destination = d
			_, changed, ok := s.topics.Watch(k.topic)
			if !ok {
				return scene{}, nil, false
			}
			e, ok := s.topicSheet(c, k, feed.FamilyFeed)
			if !ok {
				return scene{}, nil, false
			}
			return scene{of: e.stamp, seq: e.stamp.Seq, data: func() []byte { return oneLine(e.rendered.Body) }}, changed, true
		},
		recheck: s.deps.Control.Changed,
	}, true
}

func topicURLs(base, id string) map[string]string {
	base += "/topics/" + id + "/"
	urls := map[string]string{"events": base + "events", "ws": socketURL(base), "overlay": base + "overlay", "map": base + mapFile}
	for _, family := range feed.Families() {
		for _, f := range feed.TopicFormats(family) {
			urls[strings.TrimPrefix(string(f), "feed.")] = base + string(f)
		}
	}
	return urls
}
