package mastodon

import (
	"net/http"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
)

// maxAnswer bounds an answer of the API.
const maxAnswer = 8 << 20

// guard judges answers before go-mastodon sees them: that would wait out a rate
// limit by itself, without a look at what the server says.
type guard struct {
	next *http.Client
	now  func() time.Time
}

// RoundTrip is an error for all answers that are no success.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Authorization") == "Bearer " {
		req = req.Clone(req.Context())
		req.Header.Del("Authorization") // an empty token is a wrong one
	}
	resp, err := g.next.Do(req)
	if err != nil {
		return nil, err
	}
	if err := answer.Judge(resp, g.now()); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}

var _ http.RoundTripper = (*guard)(nil)
var _ connect.Connector = (*Connector)(nil)
