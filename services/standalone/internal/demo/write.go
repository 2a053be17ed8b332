package demo

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
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

var phrases = []string{
	"Everyone here is shouting for KEY!",
	"What a performance… KEY all the way",
	"Ma famille vote KEY ce soir",
	"KEY has to win this, no question",
	"Can't decide tonight, all three are great",
	"Goosebumps. Just goosebumps. KEY",
}

// write is the i-th post as a line of the push source.
func write(i int64, at time.Time) []byte {
	phrase := phrases[i%int64(len(phrases))]
	text := strings.ReplaceAll(phrase, "KEY", options[preference(i, at)].keyword)
	n := strconv.FormatInt(at.UnixNano(), 36)
	line, err := json.Marshal(client.Object{
		"id": "demo-" + n, "platform": "demo", "author": client.Object{"id": "viewer-" + n, "name": "A viewer"},
		"text": text, "created_at": at.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return append(line, '\n')
}
