package stream

import "github.com/clamor-live/clamor/services/capture/internal/connect"

// Gather takes a message and those that wait behind it, until the batch is as
// large as one should be.
func Gather[M any](m M, messages <-chan M, b *connect.Batch, take func(M) error) error {
	for {
		if err := take(m); err != nil {
			return err
		}
		if len(b.Posts)+b.Malformed+len(b.Gone) >= maxPosts {
			return nil
		}
		select {
		case next, ok := <-messages:
			if !ok {
				return nil // the next read will tell
			}
			m = next
		default:
			return nil
		}
	}
}
