package connect

import (
	"net/http"
	"net/url"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Hook is a platform that calls us: it reads one kind of webhook. A Hook does no
// I/O and is safe for concurrent use.
type Hook interface {
	// Receive checks the platform's signature and reads the posts of one request.
	// The answer it gives is sent after the posts are durable. Its error is a
	// *fault.Error: source-key-invalid for a wrong signature, bad-json and
	// invalid-request for a body that is none of the platform's.
	Receive(r *Request) (Receipt, error)
}

// Request is one call of a platform.
type Request struct {
	Method string
	// URL is the address that the platform called, as it knows it: some sign it.
	URL    string
	Query  url.Values
	Header http.Header
	Body   []byte
}

// Receipt is what a call brought, and what it is answered.
type Receipt struct {
	Posts []audience.Post
	// Gone names the posts that the platform says are no more, by NameOf. They are
	// not among Posts.
	Gone []string
	// Malformed counts the messages in the call that were no posts.
	Malformed int
	First     error
	// Status is 200 unless set; ContentType belongs to Body.
	Status      int
	ContentType string
	Body        []byte
	// Reply writes the answer where it depends on what became of the posts, as an
	// SMS's reply does; nil: Body is the answer.
	Reply func(voted bool) (contentType string, body []byte)
}
