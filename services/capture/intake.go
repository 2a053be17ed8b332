package capture

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/keyword"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"github.com/clamor-live/clamor/services/capture/internal/budget"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/habit"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
)

// appends bounds the posts of one call that are on their way to the log at a
// time.
const appends = 256

// entry is one record on its way into the log.
type entry struct {
	partition int32
	value     []byte
	name      string // of the post
}

// intake turns posts of one source into records and ballots.
type intake struct {
	src      *control.Source
	ear      *ear
	judge    *judge // nil: no rule decides
	habits   *habit.Memory
	key      *keys.ShowKey
	received audience.Millis
	posts    int // partitions
	entries  []entry
	ballots  [][]audience.Ballot // by partition
	rate     float64             // the share of posts that the budget lets in
	votes    int
	// unsampled are the posts that it does not.
	unsampled int
	// decisions are how many posts the show's rules decided about, by decision.
	decisions map[string]int
	hits      []keyword.Hit
}

// taken is what became of posts.
type taken struct {
	// posts are in the log, unsampled ones are not, for the budget had no room.
	posts, unsampled int
	votes            int
	entries          []entry // of the posts
}

// take puts posts of a source into the log, with the ballots that they are, and
// returns when all are durable. After an error, which were recorded is not known;
// taking the same posts again is harmless, for everything about them but their
// received_at is the same. Below a rate of 1 only a sample of them is taken, and
// all that are ballots.
func (s *Service) take(ctx context.Context, src *control.Source, posts []audience.Post, rate float64) (taken, error) {
	if len(posts) == 0 {
		return taken{}, nil
	}
	state, err := s.state()
	if err != nil {
		return taken{}, err
	}
	key, err := s.keys.Show(ctx, src.Show)
	if err != nil {
		return taken{}, forgotten(err)
	}
	habits, err := s.habits()
	if err != nil {
		return taken{}, err
	}
	received := s.millis()
	judge, err := s.judges.of(state, src.Show)
	if err != nil { // a rule that cannot be used decides nothing
		s.logger.Error("the show's rules do not decide about posts", "show", src.Show, "error", err)
	}
	in := intake{
		src: src, judge: judge, habits: habits, ear: s.ears.of(state, &s.book, src.Show, received), key: key, received: received,
		posts: s.log.Partitions(eventlog.Posts), ballots: make([][]audience.Ballot, s.ballots.Partitions()),
		rate: rate,
	}
	for i := range posts {
		if err := in.add(&posts[i]); err != nil {
			return taken{}, err
		}
	}
	// At the same time, so that a long list of posts does not make ballots late. If
	// a crash leaves one without the other, the source sends both again.
	var both errgroup.Group
	both.Go(func() error { return s.appendPosts(ctx, in.entries) })
	both.Go(func() error { return s.ballots.Many(received, in.ballots) })
	if err := both.Wait(); err != nil {
		return taken{}, unrecorded(err)
	}
	for i := range posts { // not before: posts that are taken again come to the same
		p := &posts[i]
		habits.Learn(p.Platform, p.Author.ID, p.Language, p.Text)
	}
	s.metrics.posts.WithLabelValues(src.Connector).Add(float64(len(in.entries)))
	for decision, n := range in.decisions {
		s.metrics.judged.WithLabelValues(decision).Add(float64(n))
	}
	if in.votes > 0 {
		s.metrics.acknowledged(doorSocial, in.votes, s.millis()-received)
	}
	return taken{posts: len(in.entries), unsampled: in.unsampled, votes: in.votes, entries: in.entries}, nil
}

func (s *Service) appendPosts(ctx context.Context, entries []entry) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(appends)
	for _, e := range entries {
		all.Go(func() error {
			_, err := s.log.AppendRaw(ctx, eventlog.Posts, e.partition, e.value)
			return err
		})
	}
	return all.Wait()
}

func (in *intake) add(p *audience.Post) error {
	if p.Platform == "" {
		p.Platform = in.src.ID // ids of different sources are different posts
	}
	name := connect.NameOf(p.Platform, p.ID)
	rec := eventlog.PostOf(p)
	rec.Source, rec.Show, rec.ReceivedAt = in.src.ID, in.src.Show, int64(in.received)
	if rec.GetLanguage() == "" {
		rec.Language = in.habits.Language(p.Platform, p.Author.ID)
	}
	if in.judge != nil {
		rec.Decision = in.judge.decide(rec)
		in.decided(rec.GetDecision())
	}
	in.hits = in.ear.matcher.Match(p.Text, in.hits[:0])
	for _, hit := range in.hits {
		if m := in.ear.moments[hit.Poll]; mayVoteIn(in.src, &m.Poll) {
			rec.Votes = append(rec.Votes, in.vote(p, name, m, hit.Slot, rec.GetDecision() == control.PostReject))
		}
	}
	if in.rate < 1 && len(rec.GetVotes()) == 0 {
		if !budget.In(name, in.rate) {
			in.unsampled++
			return nil
		}
		rec.SampleRate = in.rate
	}
	value, err := proto.Marshal(&clamorv1.Record{Body: &clamorv1.Record_Post{Post: rec}})
	if err != nil {
		return fmt.Errorf("encode post %s: %w", name, err)
	}
	in.entries = append(in.entries, entry{audience.PartitionOfPost(name, in.posts), value, name})
	return nil
}

// decided notes what the rules said.
func (in *intake) decided(decision string) {
	if decision == "" {
		return
	}
	if in.decisions == nil {
		in.decisions = map[string]int{}
	}
	in.decisions[decision]++
}

// vote adds the ballot that a post is. Of a post that a rule rejects there is
// none until a moderator approves it; what it would be stands in the post.
func (in *intake) vote(p *audience.Post, name string, m *book.Moment, slot uint16, rejected bool) *clamorv1.Vote {
	b := m.Ballot(in.received, in.src.ID)
	b.ID, b.Post = ballotOfPost(name), name
	b.Choices = []audience.Choice{{Slot: slot}}
	if m.Poll.Social.Count == audience.CountPosts {
		b.Voter = in.key.Voter(ofPost+p.Platform, p.ID)
	} else {
		b.Voter = in.key.Voter(ofAuthor+p.Platform, p.Author.ID)
	}
	if !rejected || m.Poll.CountsRejectedPosts {
		partition := audience.PartitionOf(b.Key(), b.Voter, len(in.ballots))
		in.ballots[partition] = append(in.ballots[partition], b)
		in.votes++
	}
	return &clamorv1.Vote{Poll: b.Poll, Round: b.Round, Voter: b.Voter[:], Ballot: b.ID[:], Slots: []uint32{uint32(slot)}}
}

// ballotOfPost is the ballot id of a post: a UUID of version 8 (RFC 9562) from a
// hash of its name, so that however often the post comes, its ballot is one.
func ballotOfPost(name string) audience.BallotID {
	sum := sha256.Sum256([]byte("clamor/post/" + name))
	id := audience.BallotID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}
