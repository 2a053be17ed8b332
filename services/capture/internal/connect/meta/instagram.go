package meta

import "github.com/clamor-live/clamor/pkg/audience"

// igComment is a comment on a medium of the account's, or in its live video.
type igComment struct {
	ID        text `json:"id"`
	CommentID text `json:"comment_id"` // the same in the older form
	ParentID  text `json:"parent_id"`
	From      struct {
		ID       text   `json:"id"`
		Username string `json:"username"`
	} `json:"from"`
	Text  string `json:"text"`
	Media struct {
		ID text `json:"id"`
	} `json:"media"`
}

func (r *reading) igComment(e *entry, v *igComment) error {
	id := first(v.ID, v.CommentID)
	if id == "" {
		return errNoID
	}
	r.receipt.Add(audience.Post{
		ID: string(id), Platform: Instagram, Text: v.Text, CreatedAt: audience.Millis(e.Time),
		Author:  audience.Author{ID: string(v.From.ID), Handle: v.From.Username},
		ReplyTo: string(first(v.ParentID, v.Media.ID)),
	}, r.now)
	return nil
}

// igMention says that somebody named the account, in a caption or a comment.
// Instagram tells where and keeps text and author to itself, so the post has
// neither.
type igMention struct {
	MediaID   text `json:"media_id"`
	CommentID text `json:"comment_id"`
}

func (r *reading) igMention(e *entry, v *igMention) error {
	id := first(v.CommentID, v.MediaID)
	if id == "" {
		return errNoID
	}
	p := audience.Post{ID: "mention:" + string(id), Platform: Instagram, CreatedAt: audience.Millis(e.Time)}
	if v.CommentID != "" {
		p.ReplyTo = string(v.MediaID)
	}
	r.receipt.Add(p, r.now)
	return nil
}
