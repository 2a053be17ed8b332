package trend

import "testing"

func TestBurst(t *testing.T) {
	for _, tt := range []struct {
		name        string
		now, before int64
		parts       float64
		bursts      bool
	}{
		{"always that frequent", 100, 6000, 60, false},
		{"new", 40, 0, 60, true},
		{"four times the usual", 30, 450, 60, true},
		{"one mention", 1, 0, 60, false},
		{"as before, by chance", 12, 600, 60, false},
		{"a long window behind a short time", 60, 6, 0.1, false},
		{"no time before", 100, 0, 0, false},
		{"more taken out than counted", 5, -3, 60, true},
	} {
		if s := Burst(tt.now, tt.before, tt.parts); (s >= 3) != tt.bursts {
			t.Errorf("%s: %v", tt.name, s)
		}
	}
}
