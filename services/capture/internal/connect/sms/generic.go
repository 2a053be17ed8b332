package sms

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/pointer"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sign"
)

// generic speaks JSON, a message a call.
type generic struct {
	guard  *sign.Guard
	fields map[string]pointer.Path
}

func newGeneric(s *connect.Settings) *generic {
	g := &generic{guard: sign.ReadHMAC(s, "X-Timestamp"), fields: map[string]pointer.Path{}}
	places := map[string]string{"id": "/id", "from": "/from", "text": "/text", "created_at": "/created_at", "location": "/location", "media": "/media"}
	named := s.Map("fields")
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if places[name] == "" {
			s.Fail("fields", "has %q, which is no part of a message; those are %v", name, slices.Sorted(maps.Keys(places)))
		}
	}
	maps.Copy(places, named)
	for _, name := range slices.Sorted(maps.Keys(places)) {
		path, err := pointer.Parse(places[name])
		if err != nil {
			s.Fail("fields", "%s %v", name, err)
		}
		g.fields[name] = path
	}
	return g
}

func (g *generic) read(r *connect.Request, now time.Time) (text, error) {
	if err := g.guard.Check(r.Header, r.Body, now); err != nil {
		return text{}, err
	}
	body, err := pointer.Read(r.Body)
	if err != nil {
		return text{}, err
	}
	words, ok := g.fields["text"].In(body).(string)
	if !ok {
		return text{}, fault.New(fault.InvalidRequest, "there is no text where settings.fields.text points to")
	}
	part := func(name string) any { return g.fields[name].In(body) }
	return text{
		id: pointer.Text(part("id")), from: pointer.Text(part("from")), words: words, at: pointer.Moment(part("created_at")),
		location: pointer.Text(part("location")), media: pointer.Texts(part("media")),
	}, nil
}

func (g *generic) answer(words string) (string, []byte) {
	answer := struct {
		Reply string `json:"reply,omitempty"`
	}{words}
	body, err := json.Marshal(answer)
	if err != nil { // a string has a form, always
		body = []byte("{}")
	}
	return "application/json", body
}
