// Package xv1 listens to X through API v1.1, or to any server that speaks it: the
// streaming filter POST statuses/filter.json, or search/tweets.json asked again
// and again.
//
// Settings:
//
//	name             type           needed  secret
//	consumer_key     text           yes     no
//	consumer_secret  text           yes     yes
//	access_token     text           yes     no
//	access_secret    text           yes     yes
//	mode             text           no      no      "stream" (default) or "search"
//	base_url         address        no      no      in place of X's own, up to and with /1.1
//	track            list of texts  no      no      terms, in place of those of the topics
//	languages        list of texts  no      no      languages to ask for; all
//	every            whole number   no      no      seconds between two searches; 5
//
// Its one trick: a post's id tells when it was written. A stream cannot be asked
// for what it sent while nobody listened, so what came behind a place is searched
// for beside it, from some seconds before it, for posts are not in order of their
// ids. The place stays before the gap until it is filled.
//
// Streams take posts back, with what repeats them, by the notices delete, drop
// and status_withheld (everywhere), and by user_delete, user_suspend and
// user_protect as far as recall remembers the user's posts. X's own standard
// stream sends none since 2022; enterprise streams and compatible servers do.
// Searches are told of no deletion.
package xv1

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
	"github.com/dghubble/go-twitter/twitter"
	"github.com/dghubble/oauth1"
)

const (
	streamHost = "https://stream.twitter.com/1.1/"
	searchHost = "https://api.twitter.com/1.1/"
	// stalledAfter is three of the stream's heartbeats.
	stalledAfter = 90 * time.Second
	asking       = 15 * time.Second
	// What statuses/filter.json takes.
	maxTerms = 400
	maxTerm  = 60 // bytes
	// maxQuery is what search/tweets.json takes, in bytes.
	maxQuery = 500
	pages    = 100 // of a search at most, 100 posts each
	perPage  = 100
)

// Connector listens to one server.
type Connector struct {
	env       connect.Env
	config    *oauth1.Config
	token     *oauth1.Token
	base      *url.URL // nil: X's own
	search    bool
	track     []string
	languages []string
	every     time.Duration
	quiet     time.Duration
	patience  time.Duration // with one call of the API
	// said are the posts of the last runs, by author and by what they repeat.
	said recall.Memory
}

// New reads a source's settings.
func New(settings map[string]any, env connect.Env) (connect.Connector, error) {
	return open(settings, env)
}

func open(settings map[string]any, env connect.Env) (*Connector, error) {
	s := connect.Read(settings)
	c := &Connector{
		env:    env,
		config: oauth1.NewConfig(s.Need("consumer_key"), s.Need("consumer_secret")),
		token:  oauth1.NewToken(s.Need("access_token"), s.Need("access_secret")),
		base:   s.URL("base_url", "", "https", "http"),
		search: s.OneOf("mode", "stream", "search") == "search",
		track:  s.Strings("track"), languages: s.Strings("languages"),
		every: time.Duration(s.Int("every", 5, 1, 3600)) * time.Second, quiet: stalledAfter, patience: asking,
	}
	return c, s.Done()
}

// Recall keeps who wrote a post and what it repeats.
func (c *Connector) Recall(d connect.Delivered) { c.note(d.ID, d.Author, d.RepostOf) }

// Run delivers posts from a place on.
func (c *Connector) Run(ctx context.Context, from connect.Place, out connect.Outlet) error {
	r := &run{Connector: c, out: out, gap: x.GapAt(from), seen: map[int64]bool{}}
	var err error
	if c.search {
		err = r.searchOn(ctx)
	} else {
		err = r.streamOn(ctx)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped, as it was asked to
	}
	return err
}

// run is one Run.
type run struct {
	*Connector

	out connect.Outlet
	gap x.Gap
	// seen are the posts that searches found within the time that they rewind.
	seen map[int64]bool
}

// terms are what to ask for, and when that may be something else.
func (c *Connector) terms() (terms []string, changed <-chan struct{}) {
	changed = c.env.Changed() // before Track: no change falls between
	terms = c.track
	if len(terms) == 0 {
		terms = c.env.Track()
	}
	return terms, changed
}

// client signs requests and sends them to the server of base. It is the one way
// out of the library, which knows no contexts and only X's own servers.
func (c *Connector) client(ctx context.Context, base string, via func(http.RoundTripper) http.RoundTripper) *twitter.Client {
	signed := oauth1.NewClient(context.WithValue(ctx, oauth1.HTTPClient, c.env.HTTP), c.config, c.token).Transport
	if c.base != nil {
		base = strings.TrimSuffix(c.base.String(), "/") + "/"
	}
	return twitter.NewClient(&http.Client{Transport: via(&redirect{ctx: ctx, base: base, next: signed})})
}

// redirect sends the library's requests to another server, before they are
// signed, and ends them with a context.
type redirect struct {
	ctx  context.Context //nolint:containedctx // the library has no place for one
	base string
	next http.RoundTripper
}

func (t *redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	_, path, _ := strings.Cut(req.URL.Path, "/1.1/")
	u, err := url.Parse(t.base + path)
	if err != nil {
		return nil, fmt.Errorf("find the server: %w", err)
	}
	u.RawQuery = req.URL.RawQuery
	req = req.Clone(t.ctx)
	req.URL, req.Host = u, u.Host
	return t.next.RoundTrip(req)
}

// filterTerms are what statuses/filter.json takes: a comma means OR there, so no
// term may have one.
func filterTerms(terms []string) (fit []string) {
	for _, term := range terms {
		term = strings.Join(strings.FieldsFunc(term, func(r rune) bool { return r == ',' || r == ' ' }), " ")
		if term != "" && len(term) <= maxTerm && len(fit) < maxTerms && !slices.Contains(fit, term) {
			fit = append(fit, term)
		}
	}
	return fit
}

// queries are terms as search/tweets.json takes them, as few as they fit in.
func queries(terms []string) (all []string) {
	query := ""
	for _, term := range terms {
		if term = strings.ReplaceAll(term, `"`, " "); strings.Contains(term, " ") {
			term = `"` + term + `"`
		}
		switch {
		case strings.Trim(term, `" `) == "" || len(term) > maxQuery:
		case query == "":
			query = term
		case len(query)+len(" OR ")+len(term) > maxQuery:
			all, query = append(all, query), term
		default:
			query += " OR " + term
		}
	}
	if query != "" {
		all = append(all, query)
	}
	return all
}
