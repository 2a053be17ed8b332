package capture

import (
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"google.golang.org/protobuf/proto"
)

// Bounds of what is remembered of one source: beyond either of them its oldest
// posts are forgotten, and their platform can take them back no more, unless a
// moderator has decided about them.
const (
	maxDelivered      = 50_000
	maxDeliveredBytes = 16 << 20
)

// delivered are the last posts of a source as they stand in the log. Taking a
// post out of what was counted takes the post; its platform says the name alone.
type delivered struct {
	records map[string][]byte // by the post's name
	names   []string          // oldest first
	bytes   int
}

// keep remembers posts. Of one that comes again it remembers what came first, for
// that is what was counted.
func (d *delivered) keep(posts []entry) {
	if d.records == nil {
		d.records = map[string][]byte{}
	}
	for _, e := range posts {
		if d.records[e.name] != nil {
			continue
		}
		d.records[e.name] = e.value
		d.names = append(d.names, e.name)
		d.bytes += len(e.value)
	}
	for len(d.names) > maxDelivered || d.bytes > maxDeliveredBytes {
		oldest := d.names[0]
		d.names = d.names[1:]
		d.bytes -= len(d.records[oldest])
		delete(d.records, oldest)
	}
}

// tell recalls all of it to a connector.
func (d *delivered) tell(c connect.Recaller) {
	for _, name := range d.names {
		if p, err := d.post(name); err == nil {
			c.Recall(connect.Delivered{ID: p.GetId(), Author: p.GetAuthor().GetId(), RepostOf: p.GetRepostOf()})
		}
	}
}

// post is a post that is remembered; nil if it is not.
func (d *delivered) post(name string) (*clamorv1.Post, error) {
	value := d.records[name]
	if value == nil {
		return nil, nil //nolint:nilnil // none is an answer
	}
	rec := &clamorv1.Record{}
	if err := proto.Unmarshal(value, rec); err != nil {
		return nil, err
	}
	return rec.GetPost(), nil
}
