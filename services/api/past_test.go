package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/api"
)

// oracle folds all posts of a rig in one go, without views, cuts or horizons.
type oracle struct {
	r    *rig
	all  []*clamorv1.Post
	fold *topic.Partition
	open *topic.Open
}

func newOracle(r *rig) *oracle {
	return &oracle{r: r, fold: topic.NewPartition(), open: topic.NewOpen()}
}

// say is a post of the rig's that is folded here as well.
func (o *oracle) say(id, author, text string, change func(*clamorv1.Post)) {
	o.r.say(id, author, text, change, func(p *clamorv1.Post) { o.all = append(o.all, p) })
	o.fold.Post(o.r.hearing.listener.Hear(o.all[len(o.all)-1]), o.open)
}

// reject takes a post out, however long ago it came.
func (o *oracle) reject(n int) {
	h, p := o.r.hearing, o.all[n]
	h.mu.Lock()
	defer h.mu.Unlock()
	hp := h.parts[audience.PartitionOfPost(p.GetPlatform()+":"+p.GetId(), partitions)]
	hp.fold.Moderate(h.listener.Hear(p), true, hp.open)
	hp.pos.Next++
	hp.write()
	o.fold.Moderate(h.listener.Hear(p), true, o.open)
}

// asJSON is a value as an answer writes it.
func asJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	var out any
	must(t, json.Unmarshal(text, &out))
	return out
}

// longTalk is six hours of talk about "goal" of which two are held, batch having run
// after each of the first five, and one of the first posts taken out since.
func longTalk(t *testing.T, change func(*api.Config)) (*rig, topic.Minutes) {
	t.Helper()
	r := newRig(t, func(c *api.Config) {
		c.TopicHorizon, c.TopicPast = 2*time.Hour, 5*time.Hour
		if change != nil {
			change(c)
		}
	})
	r.about("goal", "goal OR gol", map[string]any{"crowd": true})
	o := newOracle(r)
	texts := []string{
		"what a goal, I love it #final", "que gol horrível, odiei #final #var", "the goal was offside, terrible referee", "goal goal goal",
		"um gol lindo demais, estamos felizes com o time", "nothing to see",
	}
	places := []string{"São Paulo, Brasil", "Brasil", "Buenos Aires, Argentina", "nowhere", ""}
	first := [...]string{"Maria", "João", "Ana", "Pedro", "Xqzt"}
	for i := range 6 * 60 {
		for k := range 5 {
			n := 5*i + k
			o.say(fmt.Sprint(n), author(n%900), texts[(n*7+i/50)%len(texts)], func(p *clamorv1.Post) {
				p.Author.Location, p.Author.Name = places[n%len(places)], first[n%len(first)]
			})
		}
		if r.skew.Add(int64(time.Minute)); i%60 == 59 && i < 5*60 {
			r.run()
		}
	}
	o.reject(2)
	o.reject(5*59 + 1)
	var subject topic.Subject
	for s := range o.open.View() {
		subject = s
	}
	minutes := o.open.View()[subject]
	r.until("/v1/topics/goal/stats?window=5h", func(a answer) bool {
		now := topic.MinuteOf(audience.MillisOf(r.now())) + 1
		sum := minutes.Sum(now-5*60, now)
		return a.status == 200 && a.number("totals.posts") == sum.Posts && a.number("totals.rejected") == sum.Rejected && a.number("generation") == 5
	})
	return r, minutes
}

// TestThePastIsTheFoldOfItsPosts: whatever window is asked for, held, long past or
// across the horizon, every figure is that of the fold of all posts.
func TestThePastIsTheFoldOfItsPosts(t *testing.T) {
	r, minutes := longTalk(t, nil)
	now := topic.MinuteOf(audience.MillisOf(r.now())) + 1
	for name, w := range map[string]topic.Window{
		"held": {From: now - 100, To: now}, "across": {From: now - 260, To: now - 30}, "to now": {From: now - 4*60, To: now},
		"past": {From: now - 300, To: now - 200}, "short": {From: now - 350, To: now - 349}, "edge": {From: now - 121, To: now - 118},
	} {
		t.Run(name, func(t *testing.T) {
			query := url.Values{"from": {topic.StartOf(w.From).String()}, "to": {topic.StartOf(w.To).String()}}.Encode()
			sum, before := minutes.In(w), minutes.In(w.Before())
			same := func(a answer, path string, want any) {
				t.Helper()
				if diff := cmp.Diff(asJSON(t, want), a.at(path)); diff != "" {
					t.Errorf("%s: %s", path, diff)
				}
			}
			a := r.get("/v1/topics/goal/stats?"+query).is(200, "")
			f := sum.Figures()
			same(a, "totals.posts", f.Posts)
			same(a, "totals.rejected", f.Rejected)
			same(a, "totals.authors", sum.AuthorCount())
			same(a, "totals.sampled", sum.Sampled())
			model, err := sentiment.Default()
			must(t, err)
			same(a, "totals.sentiment", sum.Mood(model))
			for _, by := range []topic.Dimension{topic.ByHashtag, topic.ByLanguage, topic.ByCountry, topic.BySentiment, topic.ByWord, topic.ByAuthor} {
				a = r.get("/v1/topics/goal/stats?compare=previous&top=5&by=" + string(by) + "&" + query)
				if a.status != 200 {
					a.is(422, "invalid-request") // the window before is too long ago
					continue
				}
				same(a, "compare.posts", topic.Compare(f.Posts, before.Figures().Posts))
				parts, _ := topic.CompareBy(sum, before, by, 5)
				for i := range parts {
					at := fmt.Sprintf("parts.%d.", i)
					same(a, at+"key", parts[i].Key)
					same(a, at+"n", parts[i].N)
					same(a, at+"before", parts[i].Change.Before)
				}
			}
			a = r.get("/v1/topics/goal/stats?step=7m&"+query).is(200, "")
			steps, err := minutes.Series(w, 7)
			must(t, err)
			for i := range steps {
				same(a, fmt.Sprintf("series.%d.posts", i), steps[i].Sum.Figures().Posts)
			}
			a = r.get("/v1/topics/goal/trends?top=5&"+query).is(200, "")
			trends := minutes.Trends(w, 5, append([]string{"en", "pt"}, languages(sum)...))
			same(a, "themes", trends.Themes)
			same(a, "risers", append([]topic.Theme{}, trends.Risers...))
			same(a, "minutes_before", trends.Minutes)
			a = r.get("/v1/topics/goal/map?"+query).is(200, "")
			gazetteer, err := place.Default()
			must(t, err)
			for i, at := range sum.CountryPoints(gazetteer) {
				same(a, fmt.Sprintf("features.%d.id", i), at.Key)
				same(a, fmt.Sprintf("features.%d.properties.posts", i), at.N)
			}
			a = r.get("/v1/topics/goal/crowd?"+query).is(200, "")
			table, err := names.Default()
			must(t, err)
			want := sum.CrowdOf(table, "")
			same(a, "authors", want.Authors)
			if !want.Hidden {
				same(a, "gender", want.Gender)
			}
		})
	}
}

// languages are those that the posts of a sum are in.
func languages(sum *topic.Minute) (list []string) {
	parts, _ := sum.By(topic.ByLanguage, 4)
	for _, p := range parts {
		list = append(list, p.Key)
	}
	return list
}

func TestHowMuchOfThePastCanBeAsked(t *testing.T) {
	r := newRig(t, func(c *api.Config) { c.TopicHorizon, c.TopicPast = 2*time.Hour, 5*time.Hour })
	r.about("goal", "goal", nil)
	r.until("/v1/topics/goal/stats", posts(0))
	for _, path := range []string{"stats?window=7h", "stats?window=210m&compare=previous", "trends?window=6h", "map?window=7h", "crowd?window=7h"} {
		r.get("/v1/topics/goal/"+path).is(200, "")
	}
	for _, path := range []string{"stats?window=421m", "stats?window=4h&compare=previous", "trends?window=7h", "map?window=8h", "crowd?window=8d"} {
		a := r.get("/v1/topics/goal/"+path).is(422, "invalid-request")
		if oldest, err := time.Parse(time.RFC3339, a.text("oldest")); err != nil || !oldest.Before(r.now().Add(-6*time.Hour)) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	// Five hours of a year ago are as far as any others.
	year := r.now().Add(-365 * 24 * time.Hour).Truncate(time.Minute).UTC()
	query := url.Values{"from": {year.Format(time.RFC3339)}, "to": {year.Add(5 * time.Hour).Format(time.RFC3339)}}.Encode()
	if a := r.get("/v1/topics/goal/stats?"+query).is(200, ""); a.number("totals.posts") != 0 {
		t.Fatalf("%s", a.body)
	}
}

func TestThePastWithoutAStore(t *testing.T) {
	r, _ := longTalk(t, func(c *api.Config) { c.TopicPastBytes = 1 << 20 })
	token := r.feed(nil)
	r.views.away.Store(true)
	past := url.Values{"from": {r.now().Add(-350 * time.Minute).UTC().Format(time.RFC3339)}, "window": {"20m"}}.Encode()
	for _, path := range []string{"stats", "trends", "map", "crowd"} {
		if a := r.get("/v1/topics/goal/"+path+"?"+past).is(503, "unavailable"); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", path, a.header)
		}
		r.get("/v1/topics/goal/"+path+"?window=30m").is(200, "")
	}
	// A feed never waits for the past: it shows what is held.
	if a := r.get("/feeds/"+token+"/topics/goal/topic.json?window=5h", anonymous).is(200, ""); a.number("minutes") != 120 {
		t.Fatalf("%s", a.body)
	}
	r.views.away.Store(false)
	r.get("/v1/topics/goal/stats?"+past).is(200, "")
}
