package demo

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestEveryOptionLeadsNowAndThen(t *testing.T) {
	start := time.Unix(1_780_000_000, 0)
	led := map[int]bool{}
	for minute := range 4 {
		votes := make([]int, len(options))
		at := start.Add(time.Duration(minute) * time.Minute)
		for i := range int64(1000) {
			votes[preference(i, at)]++
		}
		lead := 0
		for o, n := range votes {
			if n > votes[lead] {
				lead = o
			}
		}
		led[lead] = true
	}
	if len(led) < 2 {
		t.Errorf("only %v led in four minutes", led)
	}
}

func TestPostsAreLines(t *testing.T) {
	seen := map[string]bool{}
	for i := range int64(20) {
		line := write(i, time.Unix(1_780_000_000, i))
		var post struct {
			ID, Text string
		}
		if err := json.Unmarshal(line, &post); err != nil || bytes.Count(line, []byte("\n")) != 1 || seen[post.ID] || post.Text == "" {
			t.Errorf("%q: %v", line, err)
		}
		seen[post.ID] = true
	}
}
