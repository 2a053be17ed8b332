package fault

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of a problem document.
const ContentType = "application/problem+json"

// typePrefix makes the problem's type a URI without promising a page behind it.
const typePrefix = "urn:clamor:problem:"

// Write answers a request with the problem in err. The request's id, if there
// is one, goes into X-Request-Id and the document.
func Write(w http.ResponseWriter, requestID string, err error) {
	e := problemOf(err)
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("ETag")
	h.Del("Last-Modified")
	h.Del("Content-Encoding")
	if requestID != "" {
		h.Set("X-Request-Id", requestID)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if e.Code.Status() == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", `Bearer realm="clamor"`)
	}
	body := Document(e, requestID)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Code.Status())
	_, _ = w.Write(body) // the client is gone; nobody is left to tell
}

// Document is the problem as RFC 9457 JSON, members in a fixed order of names.
func Document(e *Error, requestID string) []byte {
	doc := map[string]any{}
	maps.Copy(doc, e.Extra)
	doc["type"] = typePrefix + string(e.Code)
	doc["title"] = e.Code.Title()
	doc["status"] = e.Code.Status()
	doc["code"] = string(e.Code)
	if e.Detail != "" {
		doc["detail"] = e.Detail
	}
	if len(e.Fields) > 0 {
		doc["errors"] = e.Fields
	}
	if requestID != "" {
		doc["request_id"] = requestID
	}
	body, err := json.Marshal(doc)
	if err != nil { // a value in Extra that JSON has no form for
		e = &Error{Code: e.Code, Detail: e.Detail, Fields: e.Fields}
		return Document(e, requestID)
	}
	return append(body, '\n')
}

// problemOf is what the caller may know of err.
func problemOf(err error) *Error {
	e, ok := As(err)
	if !ok {
		return &Error{Code: Internal, Detail: "the cause is in the server's log, under this request's id"}
	}
	if _, known := meanings[e.Code]; !known {
		return &Error{Code: Internal, Detail: "the cause is in the server's log, under this request's id"}
	}
	return e
}
