package meta

import "github.com/clamor-live/clamor/pkg/audience"

// fbValue is a change of a page's feed, or a mention of the page elsewhere.
type fbValue struct {
	Item       string `json:"item"` // post, status, photo, video, share, comment; like, reaction
	Verb       string `json:"verb"` // add, edited; remove, hide
	PostID     text   `json:"post_id"`
	CommentID  text   `json:"comment_id"`
	ParentID   text   `json:"parent_id"` // what a comment answers: the post or another comment
	Message    string `json:"message"`
	Created    moment `json:"created_time"`
	SenderID   text   `json:"sender_id"`
	SenderName string `json:"sender_name"`
	From       struct {
		ID   text   `json:"id"`
		Name string `json:"name"`
	} `json:"from"`
	Link   string   `json:"link"`
	Photo  string   `json:"photo"`
	Photos []string `json:"photos"`
	Video  string   `json:"video"`
}

func (r *reading) facebook(v *fbValue) error {
	switch v.Item {
	case "comment", "post", "status", "photo", "video", "share", "link", "album", "note":
	default: // likes, reactions, events
		return nil
	}
	id := v.PostID
	if v.Item == "comment" {
		id = v.CommentID
	}
	switch v.Verb {
	case "remove", "hide", "delete":
		r.receipt.TakeBack(Facebook, string(id))
		return nil
	case "unhide": // what was taken back stays so
		return nil
	}
	p := audience.Post{
		ID: string(id), Platform: Facebook, Text: v.Message, CreatedAt: audience.Millis(v.Created),
		Author: audience.Author{ID: string(first(v.From.ID, v.SenderID)), Name: first(v.From.Name, v.SenderName)},
	}
	if v.Item == "comment" {
		p.ReplyTo = string(first(v.ParentID, v.PostID))
	}
	if p.ID == "" {
		return errNoID
	}
	switch v.Item {
	case "photo", "video": // its link is the file
		p.Media = append(p.Media, v.Link)
	default:
		p.Links = append(p.Links, v.Link)
	}
	p.Media = append(append(p.Media, v.Photo, v.Video), v.Photos...)
	r.receipt.Add(p, r.now)
	return nil
}
