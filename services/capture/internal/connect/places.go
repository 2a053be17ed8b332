package connect

import (
	"encoding/json"
	"fmt"
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
	if err := json.Unmarshal([]byte(text), &places); err != nil {
		return nil, fmt.Errorf("read the places of sources: %w", err)
	}
	return places, nil
}

// String is short: brokers keep 4 kB beside a seat.
func (p Places) String() string {
	text, err := json.Marshal(p)
	if err != nil { // strings have a form, always
		return ""
	}
	return string(text)
}
