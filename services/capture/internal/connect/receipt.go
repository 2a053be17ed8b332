package connect

import (
	"encoding/json"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/post"
)

// MaxMessages bounds the messages of one call; no platform sends nearly as many.
const MaxMessages = 10_000

var errTooMany = fault.New(fault.InvalidRequest, "a call brings more than %d messages", MaxMessages)

// Add takes the post that a message is, within the bounds of posts; what no
// bound can mend is malformed.
func (r *Receipt) Add(p audience.Post, now audience.Millis) {
	err := post.Fit(&p, now)
	if err == nil && len(r.Posts) >= MaxMessages {
		err = errTooMany
	}
	if err != nil {
		r.Reject(err)
		return
	}
	r.Posts = append(r.Posts, p)
}

// TakeBack notes a post that its platform says is gone, delivered or not.
func (r *Receipt) TakeBack(platform, id string) {
	if id == "" {
		r.Reject(fault.New(fault.InvalidRequest, "a deletion names no post"))
		return
	}
	r.Posts = slices.DeleteFunc(r.Posts, func(p audience.Post) bool { return p.ID == id && p.Platform == platform })
	if len(r.Gone) < MaxMessages {
		r.Gone = append(r.Gone, NameOf(platform, id))
	}
}

// Reject counts a message that is no post.
func (r *Receipt) Reject(err error) {
	r.Malformed++
	if r.First == nil {
		r.First = err
	}
}

// Decode reads the JSON of a call. Fields that v does not have are passed over.
// Its errors are those of Hook.
func Decode(body []byte, v any) error {
	if !utf8.Valid(body) {
		return fault.New(fault.BadJSON, "the body is not valid UTF-8")
	}
	var mistyped *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, v); {
	case err == nil:
		return nil
	case errors.As(err, &mistyped):
		return fault.New(fault.InvalidRequest, "the body is none of this platform's: %w", err)
	default:
		return fault.New(fault.BadJSON, "the body is not JSON: %w", err)
	}
}
