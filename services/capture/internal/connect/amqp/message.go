package amqp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
	"github.com/clamor-live/clamor/services/capture/internal/lines"
	"github.com/clamor-live/clamor/services/capture/internal/post"
	broker "github.com/rabbitmq/amqp091-go"
)

// maxMessageID leaves room for the number of a line.
const maxMessageID = 200

// read appends the posts of a message, and says how many of its lines are none. A
// message without any line is malformed itself.
func read(m *broker.Delivery, now audience.Millis, posts []audience.Post) (_ []audience.Post, malformed int, first error) {
	wrong := func(err error) {
		malformed++
		if first == nil {
			first = err
		}
	}
	if len(m.Body) > jsonbody.BatchLimit {
		wrong(fault.New(fault.BodyTooLarge, "the message is larger than %d bytes", jsonbody.BatchLimit))
		return posts, malformed, first
	}
	created, n := when(m.Timestamp, now), 0
	for line := range pieces(m.Body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		n++
		if len(line) > lines.MaxLine {
			wrong(fault.New(fault.BodyTooLarge, "the post is larger than %d bytes", lines.MaxLine))
			continue
		}
		p, err := post.LenientOr(line, nameOf(m, line, n), created)
		if err != nil {
			wrong(err)
			continue
		}
		posts = append(posts, p)
	}
	if n == 0 {
		wrong(fault.New(fault.BadJSON, "the message is empty"))
	}
	return posts, malformed, first
}

// pieces are the posts of a body: its lines, or all of it where one post is written
// over several.
func pieces(body []byte) iter.Seq[[]byte] {
	if json.Valid(body) {
		return func(yield func([]byte) bool) { yield(body) }
	}
	return bytes.SplitSeq(body, []byte("\n"))
}

// nameOf is the id of a post that has none: the same whenever the message comes
// again.
func nameOf(m *broker.Delivery, line []byte, n int) string {
	if m.MessageId == "" || len(m.MessageId) > maxMessageID {
		sum := sha256.Sum256(line)
		return hex.EncodeToString(sum[:16])
	}
	if n == 1 {
		return m.MessageId
	}
	return m.MessageId + "/" + strconv.Itoa(n)
}

// when is the time that a message says, or now.
func when(at time.Time, now audience.Millis) audience.Millis {
	if at.Unix() <= 0 {
		return now
	}
	return audience.MillisOf(at)
}
