package demo

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/services/internal/client"
)

// preference is the option that the i-th viewer likes at an instant: tastes
// drift over minutes, so that the lead changes hands.
func preference(i int64, at time.Time) int {
	const drift = 4 * time.Minute
	phase := 2 * math.Pi * float64(at.UnixMilli()%drift.Milliseconds()) / float64(drift.Milliseconds())
	var weights [3]float64
	total := 0.0
	for o := range weights {
		weights[o] = 1.2 + math.Sin(phase+float64(o)*2*math.Pi/float64(len(weights)))
		total += weights[o]
	}
	// A fixed sequence that fills [0, 1) evenly needs no random numbers.
	_, point := math.Modf(float64(i) * math.Phi)
	point *= total
	for o, w := range weights {
		if point < w {
			return o
		}
		point -= w
	}
	return len(weights) - 1
}

// crowd is how many people write.
const crowd = 3000

// person is somebody who writes; the same number is always the same person.
type person struct {
	id, name, place string
	language        int
	followers       int
}

func personOf(n int) person {
	dice := rand.New(rand.NewPCG(uint64(n), 1))
	p := person{id: "viewer-" + strconv.Itoa(n), language: [...]int{0, 0, 0, 0, 1, 1, 1, 2, 2, 2}[dice.IntN(10)], followers: int(dice.ExpFloat64() * 400)}
	l := &languages[p.language]
	p.name, p.place = pick(dice, l.names), pick(dice, l.places)
	return p
}

func pick(dice *rand.Rand, from []string) string { return from[dice.IntN(len(from))] }

// momentAt is what happens on stage: another thing every few minutes.
func momentAt(at time.Time) *moment {
	const long = 150 * time.Second
	return &moments[at.UnixMilli()/long.Milliseconds()%int64(len(moments))]
}

// text is what somebody says: every second time for an option, else about the
// moment or about nothing.
func text(dice *rand.Rand, p person, i int64, at time.Time) string {
	l := &languages[p.language]
	var said string
	switch n := dice.IntN(20); {
	case n < 10:
		said = about(pick(dice, l.cheers), options[preference(i, at)].keyword)
	case n < 18:
		m := momentAt(at)
		said = pick(dice, m.lines[p.language]) + " " + m.tag
	default:
		said = pick(dice, l.chatter)
	}
	if dice.IntN(5) == 0 {
		said += " #TheFinal"
	}
	return said
}

// write is the i-th post as a line of the push source.
func write(i int64, at time.Time) []byte {
	dice := rand.New(rand.NewPCG(uint64(at.UnixNano()), uint64(i)))
	p := personOf(dice.IntN(crowd))
	id := "demo-" + strconv.FormatInt(at.UnixNano(), 36)
	post := client.Object{
		"id": id, "platform": "demo", "text": text(dice, p, i, at), "created_at": at.UTC().Format("2006-01-02T15:04:05.000Z"),
		"author": client.Object{"id": p.id, "name": p.name, "handle": p.id, "location": p.place, "followers": p.followers},
	}
	switch dice.IntN(12) {
	case 0:
		post["reply_to"] = "demo-stage"
	case 1:
		post["media"] = []string{"https://example.org/demo/" + id + ".jpg"}
	}
	line, err := json.Marshal(post)
	if err != nil {
		panic(err) // strings and numbers always have a JSON form
	}
	return append(line, '\n')
}
