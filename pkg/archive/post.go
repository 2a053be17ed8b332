package archive

import (
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func postRow(p *clamorv1.Post) postColumns {
	author := p.GetAuthor()
	row := postColumns{
		Platform: p.GetPlatform(), ID: p.GetId(), Source: p.GetSource(), Show: p.GetShow(),
		AuthorID: author.GetId(), AuthorName: author.GetName(), AuthorHandle: author.GetHandle(),
		AuthorLocation: author.GetLocation(), AuthorFollowers: int64(author.GetFollowers()),
		AuthorCreatedAt: author.GetCreatedAt(),
		Text:            p.GetText(), CreatedAt: p.GetCreatedAt(), ReceivedAt: p.GetReceivedAt(),
		Language: p.GetLanguage(), ReplyTo: p.GetReplyTo(), RepostOf: p.GetRepostOf(),
		Media: p.GetMedia(), Links: p.GetLinks(), Topics: p.GetTopics(), SampleRate: p.GetSampleRate(),
		Decision: p.GetDecision(), Sensitive: p.GetSensitive(),
	}
	if c := p.GetCoordinates(); c != nil {
		lat, lon := c.GetLat(), c.GetLon()
		row.Lat, row.Lon = &lat, &lon
	}
	for _, v := range p.GetVotes() {
		row.Votes = append(row.Votes, voteColumn{
			Poll: v.GetPoll(), Round: int64(v.GetRound()), Voter: v.GetVoter(), Ballot: v.GetBallot(),
			Slots: slotsText(choicesOf(v.GetSlots())),
		})
	}
	return row
}

func choicesOf(slots []uint32) []audience.Choice {
	choices := make([]audience.Choice, len(slots))
	for i, s := range slots {
		choices[i].Slot = uint16(s)
	}
	return choices
}

func (row *postColumns) post() (*clamorv1.Post, error) {
	p := &clamorv1.Post{
		Platform: row.Platform, Id: row.ID, Source: row.Source, Show: row.Show,
		Text: row.Text, CreatedAt: row.CreatedAt, ReceivedAt: row.ReceivedAt,
		Language: row.Language, ReplyTo: row.ReplyTo, RepostOf: row.RepostOf,
		Media: row.Media, Links: row.Links, Topics: row.Topics, SampleRate: row.SampleRate,
		Decision: row.Decision, Sensitive: row.Sensitive,
	}
	author := &clamorv1.Author{
		Id: row.AuthorID, Name: row.AuthorName, Handle: row.AuthorHandle, Location: row.AuthorLocation,
		Followers: uint64(row.AuthorFollowers), CreatedAt: row.AuthorCreatedAt,
	}
	if author.GetId() != "" || author.GetName() != "" || author.GetHandle() != "" || author.GetLocation() != "" ||
		author.GetFollowers() != 0 || author.GetCreatedAt() != 0 {
		p.Author = author
	}
	if row.Lat != nil && row.Lon != nil {
		p.Coordinates = &clamorv1.Coordinates{Lat: *row.Lat, Lon: *row.Lon}
	}
	for _, v := range row.Votes {
		slots, err := parseInts(v.Slots)
		if err != nil {
			return nil, fmt.Errorf("votes.slots: %w", err)
		}
		vote := &clamorv1.Vote{Poll: v.Poll, Round: uint32(v.Round), Voter: v.Voter, Ballot: v.Ballot}
		for _, s := range slots {
			vote.Slots = append(vote.Slots, uint32(s))
		}
		p.Votes = append(p.Votes, vote)
	}
	return p, nil
}
