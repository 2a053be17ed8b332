package topic_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// spoken folds texts, so many in each minute, into the minutes of one topic.
type spoken struct {
	f *fold
	n int
}

func newSpoken(t *testing.T) *spoken {
	d := define("all", "NOT zzz", nil)
	d.Crowd = true
	return &spoken{f: newFold(t, d)}
}

func (s *spoken) say(minute int64, times int, text string) *clamorv1.Post {
	var p *clamorv1.Post
	for range times {
		s.n++
		p = say(fmt.Sprint(s.n), text)
		p.ReceivedAt = minute * 60_000
		s.f.post(p)
	}
	return p
}

func (s *spoken) minutes() topic.Minutes { return s.f.open.View()[s.f.catalog.Subject(0)] }

func TestWindows(t *testing.T) {
	w := topic.Last(90*60_000+5, 30)
	if w != (topic.Window{From: 61, To: 91}) || w.Before() != (topic.Window{From: 31, To: 61}) || w.Len() != 30 {
		t.Errorf("have %v, before %v", w, w.Before())
	}
	if w := topic.Last(0, 0); w.Len() != 1 {
		t.Errorf("the shortest window is %v", w)
	}
}

func TestSeries(t *testing.T) {
	s := newSpoken(t)
	s.say(10, 2, "gol")
	s.say(14, 1, "gol")
	s.say(20, 5, "gol") // beyond the window
	steps, err := s.minutes().Series(topic.Window{From: 9, To: 16}, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, step := range steps {
		got = append(got, int64(step.At)/60_000, step.Sum.Figures().Posts)
	}
	if d := cmp.Diff([]int64{9, 2, 12, 1, 15, 0}, got); d != "" {
		t.Error(d)
	}
	for _, step := range []int64{0, -1} {
		if _, err := s.minutes().Series(topic.Window{From: 0, To: 5}, step); err == nil {
			t.Errorf("a step of %d is one", step)
		}
	}
	if _, err := s.minutes().Series(topic.Window{From: 0, To: 1 << 40}, 1); err == nil {
		t.Error("a series of a million years is one")
	}
	if steps, err := (topic.Minutes)(nil).Series(topic.Window{From: 5, To: 2}, 1); err != nil || len(steps) != 0 {
		t.Errorf("a window without minutes has %d steps, %v", len(steps), err)
	}
}

func TestBy(t *testing.T) {
	s := newSpoken(t)
	s.say(10, 3, "que gol lindo do Brasil, gente, adorei #copa")
	s.say(10, 1, "what a terrible match, I hate this referee so much")
	s.say(5, 2, "what a terrible match, I hate this referee so much")
	now, before := s.minutes().In(topic.Window{From: 10, To: 11}), s.minutes().In(topic.Window{From: 5, To: 10})
	got, ok := topic.CompareBy(now, before, topic.ByLanguage, 5)
	want := []topic.Compared{
		{Part: topic.Part{Key: "pt", N: 3, Percent: 75}, Change: topic.Change{Change: 3, Percent: 100}},
		{Part: topic.Part{Key: "en", N: 1, Percent: 25}, Change: topic.Change{Before: 2, Change: -1, Percent: -50}},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(topic.Part{})); !ok || d != "" {
		t.Error(d)
	}
	words, _ := topic.CompareBy(now, before, topic.ByWord, 99)
	for _, w := range words {
		if w.Key == "referee" && (w.N != 1 || w.Before != 2) || w.Key == "gol" && (w.N != 3 || w.Before != 0) {
			t.Errorf("have %+v", w)
		}
	}
	moods, _ := now.By(topic.BySentiment, 5)
	if len(moods) != 2 || moods[0].Key != "pos" || moods[1].Key != "neg" {
		t.Errorf("have %+v", moods)
	}
	for _, d := range topic.Dimensions() {
		if _, ok := now.By(d, 3); !ok {
			t.Errorf("%s is no dimension", d)
		}
	}
	if _, ok := now.By("colour", 3); ok {
		t.Error("colour is a dimension")
	}
	if parts, _ := now.By(topic.ByWord, 2); len(parts) != 2 {
		t.Errorf("2 words are %d", len(parts))
	}
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		now, before int64
		percent     float64
	}{{0, 0, 0}, {5, 0, 100}, {5, 10, -50}, {0, 10, -100}, {30, 10, 200}} {
		if got := topic.Compare(tt.now, tt.before); got.Percent != tt.percent || got.Change != tt.now-tt.before {
			t.Errorf("%d after %d: %+v", tt.now, tt.before, got)
		}
	}
}

func TestTrends(t *testing.T) {
	s := newSpoken(t)
	for minute := int64(40); minute < 100; minute++ {
		s.say(minute, 4, "o Brasil joga hoje na Copa")
	}
	for minute := int64(100); minute < 110; minute++ {
		s.say(minute, 4, "o Brasil joga hoje na Copa")
		s.say(minute, 3, "GOOOOL do Neymar #Neymar10 #brasil")
	}
	got := s.minutes().Trends(topic.Window{From: 100, To: 110}, 5, []string{"pt-BR"})
	joined := slices.IndexFunc(got.Themes, func(x topic.Theme) bool { return x.Text == "brasil" })
	if joined < 0 || got.Themes[joined].N != 40 || got.Themes[joined].Error != 30 || got.Themes[joined].Weight != 1 {
		t.Errorf("themes %+v", got.Themes)
	}
	rising := map[string]bool{}
	for i, r := range got.Risers {
		rising[r.Text] = true
		if i > 0 && r.Score > got.Risers[i-1].Score || r.Before > 0 && r.Text != "brasil" {
			t.Errorf("riser %+v", r)
		}
	}
	if !rising["Neymar10"] || !rising["neymar"] || !rising["gol"] || rising["joga"] || rising["do"] || got.Minutes != 60 {
		t.Errorf("risers %+v", got.Risers)
	}
	cloud := s.minutes().In(topic.Window{From: 100, To: 110}).Cloud(3, nil)
	if len(cloud) != 3 || cloud[2].Weight <= 0 || cloud[2].Weight > cloud[0].Weight {
		t.Errorf("cloud %+v", cloud)
	}
	if got := s.minutes().Trends(topic.Window{From: 40, To: 50}, 5, nil); len(got.Risers) != 0 || got.Minutes != 0 {
		t.Errorf("without a time before, %d rise", len(got.Risers))
	}
	if got := (topic.Minutes{}).Trends(topic.Window{From: 40, To: 50}, 5, nil); len(got.Themes) != 0 {
		t.Errorf("of nothing there are %d themes", len(got.Themes))
	}
}

func TestMood(t *testing.T) {
	model, err := sentiment.Default()
	if err != nil {
		t.Fatal(err)
	}
	s := newSpoken(t)
	s.say(10, 300, "what a beautiful goal, I love this team so much")
	s.say(10, 100, "odiei esse jogo horrível, que vergonha")
	s.say(10, 50, "dit was een hele mooie wedstrijd vandaag")
	got := s.minutes().In(topic.Window{From: 10, To: 11}).Mood(model)
	sum := got.Negative.Share + got.Neutral.Share + got.Positive.Share
	if got.Judged != 400 || got.Unknown != 50 || math.Abs(sum-1) > 1e-9 || got.Positive.Share < 0.5 || got.Negative.Share < 0.1 {
		t.Errorf("have %+v", got)
	}
	for _, r := range []topic.Range{got.Negative, got.Neutral, got.Positive} {
		if r.Low > r.Share || r.High < r.Share || r.Low < 0 || r.High > 1 || r.High == r.Low {
			t.Errorf("have %+v", r)
		}
	}
	if empty := topic.NewSum().Mood(model); empty.Judged != 0 || empty.Positive != (topic.Range{High: 1}) {
		t.Errorf("of nothing: %+v", empty)
	}
}

func TestAuthorsAndCrowd(t *testing.T) {
	table, err := names.Default()
	if err != nil {
		t.Fatal(err)
	}
	women, men := []string{"Maria", "Ana", "Juliana"}, []string{"João", "Pedro", "Carlos"}
	for _, tt := range []struct {
		authors int
		hidden  bool
	}{{400, true}, {2000, false}, {5000, false}} {
		s := newSpoken(t)
		for i := range tt.authors {
			p := say(fmt.Sprint(i), "gol")
			p.ReceivedAt, p.Author.Name = int64(i%7)*60_000, women[i%3]
			if i%4 == 0 {
				p.Author.Name = men[i/4%3]
			}
			s.f.post(p)
			p.Id = "again" + p.Id // the same author again, in another minute
			p.ReceivedAt += 60_000
			s.f.post(p)
		}
		sum := s.minutes().In(topic.Window{From: 0, To: 100})
		a := sum.AuthorCount()
		if off := math.Abs(float64(a.Authors)/float64(tt.authors) - 1); off > 3*topic.SketchError || a.Low > a.Authors || a.High < a.Authors {
			t.Errorf("%d authors: %+v", tt.authors, a)
		}
		if a.High > sum.Posts {
			t.Errorf("%d posts are of up to %d authors", sum.Posts, a.High)
		}
		e := sum.CrowdOf(table, "BR")
		if e.Hidden != tt.hidden || math.Abs(float64(e.Authors-tt.authors)) > 0.05*float64(tt.authors) || e.Method == "" {
			t.Errorf("%d authors: %+v", tt.authors, e)
		}
		if !tt.hidden && (e.Gender[0].Low > 0.75 || e.Gender[0].High < 0.75) {
			t.Errorf("%d authors, 75 %% women: %+v", tt.authors, e.Gender)
		}
	}
	if e := topic.NewSum().CrowdOf(table, ""); !e.Hidden || e.Authors != 0 {
		t.Errorf("of nobody: %+v", e)
	}
}

func TestSampled(t *testing.T) {
	s := newSpoken(t)
	for i := range 1000 {
		p := say(fmt.Sprint(i), "gol")
		p.SampleRate = 0.1
		s.f.post(p)
	}
	s.n = 10_000
	s.say(100, 500, "gol")
	got := s.minutes().In(topic.Window{From: 0, To: 200}).Sampled()
	if got.Posts != 1500 || got.Estimated != 10_500 || got.Low >= 10_500 || got.High <= 10_500 || got.High > 11_200 || math.Abs(got.Rate-1.0/7) > 0.001 {
		t.Errorf("have %+v", got)
	}
	if got := topic.NewSum().Sampled(); got != (topic.Sampled{Rate: 1}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestPoints(t *testing.T) {
	g, err := place.Default()
	if err != nil {
		t.Fatal(err)
	}
	s := newSpoken(t)
	for i, where := range []string{"Recife - PE", "Recife - PE", "Madrid", "mi casa"} {
		p := say(fmt.Sprint(i), "gol")
		p.Author.Location = where
		s.f.post(p)
	}
	sum := s.minutes().In(topic.Window{From: 0, To: 200})
	countries, regions := sum.CountryPoints(g), sum.RegionPoints(g)
	if len(countries) != 2 || countries[0].Key != "BR" || countries[0].N != 2 || countries[0].Lat >= 0 || countries[0].Percent != 50 {
		t.Errorf("countries %+v", countries)
	}
	if len(regions) != 2 || regions[0].Key != topic.RegionKey("BR", "Pernambuco") || regions[0].Region != "Pernambuco" {
		t.Errorf("regions %+v", regions)
	}
}
