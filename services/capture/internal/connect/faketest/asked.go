package faketest

import (
	"fmt"
	"net/http"
	"time"
)

// Asked is a platform that is asked again and again, and what may become of its
// answers.
type Asked struct {
	Limit
	Failure
	Calm
	Credentials
	Silence
	Break
}

// Words are how a platform refuses, and the half of an answer that breaks off.
type Words struct {
	Limited              func(w http.ResponseWriter, until time.Time)
	Slow, Failed, Barred func(w http.ResponseWriter)
	Half                 string
}

// Refuses refuses a request, gives it no answer, or half of one, if it has to.
func (a *Asked) Refuses(w http.ResponseWriter, r *http.Request, words Words) bool {
	until, limited := a.Until()
	switch {
	case limited:
		words.Limited(w, until)
	case a.Slowing():
		words.Slow(w)
	case a.Failing():
		words.Failed(w)
	case a.Expired():
		words.Barred(w)
	case a.Silent():
		<-r.Context().Done()
	case a.Broken():
		w.Header().Set("Content-Length", "1000")
		_, _ = fmt.Fprint(w, words.Half)
	default:
		return false
	}
	return true
}
