package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/internal/client"
)

// everything is the topic that listens to all posts of the file.
const everything = "everything"

// topicOf is its definition: a rule that no post breaks.
func topicOf() client.Object {
	return client.Object{"id": everything, "show": show, "title": "Everything", "rule": "NOT #no-post-has-this-one"}
}

// figures are what the API says of a topic, as far as it is printed.
type figures struct {
	Totals struct {
		Posts   int64 `json:"posts"`
		Authors struct {
			Authors int64 `json:"authors"`
		} `json:"authors"`
		Sentiment struct {
			Negative, Neutral, Positive share
		} `json:"sentiment"`
	} `json:"totals"`
	Parts []struct {
		Key string  `json:"key"`
		N   int64   `json:"n"`
		Pct float64 `json:"pct"`
	} `json:"parts"`
}

type share struct{ Share, Low, High float64 }

func (s share) String() string {
	return fmt.Sprintf("%.0f %% (%.0f–%.0f)", 100*s.Share, 100*s.Low, 100*s.High)
}

type themes struct {
	Themes []struct {
		Text    string `json:"text"`
		Hashtag bool   `json:"hashtag"`
		N       int64  `json:"n"`
	} `json:"themes"`
}

// window covers a replay: figures go by the minute in which a post came in.
const window = "window=60m"

// understood waits until the topic holds every post that was taken, and prints
// what they say.
func understood(ctx context.Context, api *client.Client, stdout io.Writer) error {
	if err := heard(ctx, api); err != nil {
		return err
	}
	var of figures
	for _, by := range []string{"language", "sentiment", "country", "hashtag"} {
		of = figures{}
		if err := api.Get(ctx, "/v1/topics/"+everything+"/stats?"+window+"&by="+by, &of); err != nil {
			return err
		}
		if by == "language" {
			fmt.Fprintf(stdout, "\n%-12s %d posts of about %d authors\n", "topic", of.Totals.Posts, of.Totals.Authors.Authors)
		}
		fmt.Fprintf(stdout, "%-12s %s\n", by, most(&of, 8))
		if s := of.Totals.Sentiment; by == "sentiment" {
			fmt.Fprintf(stdout, "%-12s neg %v, neu %v, pos %v\n", "  corrected", s.Negative, s.Neutral, s.Positive)
		}
	}
	var t themes
	if err := api.Get(ctx, "/v1/topics/"+everything+"/trends?"+window, &t); err != nil {
		return err
	}
	var words []string
	for _, theme := range t.Themes {
		if !theme.Hashtag && len(words) < 12 {
			words = append(words, fmt.Sprintf("%s %d", theme.Text, theme.N))
		}
	}
	fmt.Fprintf(stdout, "%-12s %s\n", "themes", strings.Join(words, ", "))
	return nil
}

// heard waits until the figures stand still.
func heard(ctx context.Context, api *client.Client) error {
	const quiet, longest = time.Second, 2 * time.Minute
	ctx, cancel := context.WithTimeoutCause(ctx, longest, errors.New("the topic's figures do not settle"))
	defer cancel()
	last, since := int64(-1), time.Now()
	return client.WaitFor(ctx, 100*time.Millisecond, func() bool {
		var f figures
		if err := api.Call(ctx, http.MethodGet, "/v1/topics/"+everything+"/stats?"+window+"&by=language", nil, &f); err != nil {
			return false
		}
		if f.Totals.Posts != last {
			last, since = f.Totals.Posts, time.Now()
		}
		return last > 0 && time.Since(since) > quiet
	})
}

func most(f *figures, n int) string {
	var parts []string
	for i, p := range f.Parts {
		if i == n {
			parts = append(parts, fmt.Sprintf("and %d more", len(f.Parts)-n))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %d", cmp.Or(p.Key, "unknown"), p.N))
	}
	if len(parts) == 0 {
		return "none is known"
	}
	return strings.Join(parts, ", ")
}
