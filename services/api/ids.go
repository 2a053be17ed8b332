package api

import (
	"crypto/rand"
	"encoding/base32"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/fault"
)

// newID makes a slug nobody has: 80 random bits behind a word.
func newID(word string) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return word + "-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// indexed answers with a page of a list that only grows at its end; its cursor
// is the number of things before the next page.
func indexed[T any](c *gin.Context, all []T) error {
	limit, after, err := paging(c)
	if err != nil {
		return err
	}
	start := 0
	if after != "" {
		if start, err = strconv.Atoi(after); err != nil || start < 0 {
			return fault.New(fault.InvalidRequest, "after is the next of the page before")
		}
	}
	start = min(start, len(all))
	end := min(start+limit, len(all))
	page := struct {
		Items []T    `json:"items"`
		Next  string `json:"next,omitempty"`
	}{Items: append([]T{}, all[start:end]...)}
	if end < len(all) {
		page.Next = strconv.Itoa(end)
	}
	return reply(c, http.StatusOK, page)
}
