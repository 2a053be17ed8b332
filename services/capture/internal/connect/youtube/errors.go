package youtube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/answer"
)

var (
	// errEnded is the end of a chat, which is no failure.
	errEnded = errors.New("the chat has ended")
	// errToken is a page token that is not valid any more.
	errToken = errors.New("the page token is not valid")
)

// failure is Google's form of an error.
type failure struct {
	Error struct {
		Message string `json:"message"`
		Errors  []struct {
			Reason string `json:"reason"`
		} `json:"errors"`
	} `json:"error"`
}

// judge is what an answer means that is no success.
func (c *Connector) judge(resp *http.Response, body []byte) error {
	var f failure
	_ = json.Unmarshal(body, &f) // a proxy's page says nothing
	reason := ""
	if len(f.Error.Errors) > 0 {
		reason = f.Error.Errors[0].Reason
	}
	err := fmt.Errorf("YouTube answers %d, %.40q: %.200s", resp.StatusCode, reason, f.Error.Message)
	switch reason {
	case "liveChatEnded":
		return errEnded
	case "quotaExceeded", "dailyLimitExceeded":
		return &connect.Wait{Until: midnight(c.env.Now()), Err: err}
	case "rateLimitExceeded", "userRateLimitExceeded", "userRequestsExceedRateLimit":
		if until, named := answer.Until(resp.Header, c.env.Now()); named {
			return &connect.Wait{Until: until, Err: err}
		}
		return &connect.Slow{Err: err}
	case "invalidPageToken", "pageTokenInvalid":
		return errors.Join(errToken, err)
	case "liveChatNotFound", "liveChatDisabled", "forbidden", "keyInvalid", "authError", "accessNotConfigured":
		return &connect.Refused{Err: err}
	}
	if resp.StatusCode == http.StatusBadRequest { // of a key that is none, or a video
		return &connect.Refused{Err: err}
	}
	return answer.Judge(resp, c.env.Now())
}

// midnight is when a day's quota begins: the next midnight in California.
func midnight(now time.Time) time.Time {
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil { // a system without time zones: in summer, an hour late
		pacific = time.FixedZone("PST", -8*60*60)
	}
	y, m, d := now.In(pacific).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, pacific)
}
