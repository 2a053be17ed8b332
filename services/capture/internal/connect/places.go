package connect

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Places are the places of a seat's sources, by source id. They are kept as text
// beside the seat.
type Places map[string]Place

// ParsePlaces reads what String wrote; the empty text is no places.
func ParsePlaces(text string) (Places, error) {
	places := Places{}
	if text == "" {
		return places, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&places); err != nil {
		return nil, fmt.Errorf("read the places of sources: %w", err)
	}
	return places, nil
}

// String is short: brokers keep 4 kB beside a seat.
func (p Places) String() string {
	text, err := json.Marshal(p)
	if err != nil { // strings and integers have a form, always
		return ""
	}
	return string(text)
}

// MarshalJSON writes [of, pass, offset].
func (p Place) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{p.Of, p.Pass, p.Offset})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Place) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.Of, &p.Pass, &p.Offset})
}
