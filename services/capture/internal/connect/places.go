package connect

import (
	"encoding/json"
	"fmt"
)

// Kept is what is kept of a source for whoever runs it next: its place, and what
// it spent in the window that begins at Window, in Unix seconds.
type Kept struct {
	Place  Place
	Window int64
	Posts  int64
	Units  int64
}

// MarshalJSON is short: the place alone, or a list.
func (k Kept) MarshalJSON() ([]byte, error) {
	if k.Posts == 0 && k.Units == 0 {
		return json.Marshal(k.Place)
	}
	return json.Marshal([]any{k.Place, k.Window, k.Posts, k.Units})
}

// UnmarshalJSON reads both forms.
func (k *Kept) UnmarshalJSON(b []byte) error {
	*k = Kept{}
	if len(b) == 0 || b[0] != '[' {
		return json.Unmarshal(b, &k.Place)
	}
	return json.Unmarshal(b, &[]any{&k.Place, &k.Window, &k.Posts, &k.Units})
}

// Places are what is kept of a seat's sources, by source id. They are kept as
// text beside the seat.
type Places map[string]Kept

// ParsePlaces reads what String wrote; the empty text is no places.
func ParsePlaces(text string) (Places, error) {
	places := Places{}
	if text == "" {
		return places, nil
	}
	if err := json.Unmarshal([]byte(text), &places); err != nil {
		return nil, fmt.Errorf("read the places of sources: %w", err)
	}
	return places, nil
}

// String writes all.
func (p Places) String() string {
	text, err := json.Marshal(p)
	if err != nil { // strings and numbers have a form, always
		return ""
	}
	return string(text)
}

// Fit writes at most so many bytes, for brokers keep 4 kB beside a seat. What it
// leaves out are the longest: their sources will begin anew at a takeover.
func (p Places) Fit(most int) (text string, left []string) {
	text = p.String()
	if len(text) <= most {
		return text, nil
	}
	short := make(Places, len(p))
	for id, k := range p {
		short[id] = k
	}
	for len(text) > most {
		longest, size := "", -1
		for id, k := range short {
			if n := len(id) + len(k.Place); n > size || n == size && id < longest {
				longest, size = id, n
			}
		}
		delete(short, longest)
		left = append(left, longest)
		text = short.String()
	}
	return text, left
}
