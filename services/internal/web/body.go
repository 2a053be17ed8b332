package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
)

// Body decodes a JSON body of at most limit bytes strictly. The content type is
// not looked at: curl and old engines name a wrong one.
func Body(c *gin.Context, limit int64, into any) error {
	r, err := Limit(c, limit)
	if err != nil {
		return err
	}
	return bodyError(jsonbody.Decode(r.Body, limit, into))
}

// Limit bounds the request's body and refuses encodings nobody decodes.
func Limit(c *gin.Context, limit int64) (*http.Request, error) {
	r := c.Request
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, fault.New(fault.UnsupportedMediaType, "send the body without Content-Encoding")
	}
	if r.ContentLength > limit {
		// The rest is not read, so the connection cannot be used again.
		c.Writer.Header().Set("Connection", "close")
		return nil, tooLarge(limit)
	}
	// One byte more than the limit lets the decoder see that there is more.
	r.Body = http.MaxBytesReader(c.Writer, r.Body, limit+1)
	return r, nil
}

func bodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(large.Limit - 1)
	}
	return err
}

func tooLarge(limit int64) error {
	return fault.New(fault.BodyTooLarge, "the body has more than %d bytes", limit)
}
