package stream

import (
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/jsonbody"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/post"
)

// maxText is what a line of a push source may have.
const maxText = jsonbody.Limit

// Add puts a platform's post into a batch, made to fit, or counts it if it
// cannot be: strangers' texts lose their NULs and broken UTF-8, and are cut.
func Add(b *connect.Batch, p *audience.Post, now time.Time) {
	a := &p.Author
	for _, s := range []*string{&p.ID, &p.Text, &p.Language, &p.ReplyTo, &p.RepostOf, &a.ID, &a.Name, &a.Handle, &a.Location} {
		*s = clean(*s)
	}
	if len(p.Text) > maxText {
		// The cut may fall within a character. The rest of the text is not kept.
		p.Text = strings.ToValidUTF8(strings.Clone(p.Text[:maxText]), "")
	}
	if err := post.Fit(p, audience.MillisOf(now)); err != nil {
		Malformed(b, err)
		return
	}
	b.Posts = append(b.Posts, *p)
}

func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// Malformed counts a message that was no post.
func Malformed(b *connect.Batch, err error) {
	if b.Malformed++; b.First == nil {
		b.First = err
	}
}
