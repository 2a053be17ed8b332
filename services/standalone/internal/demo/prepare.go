package demo

import (
	"context"
	"errors"
	"net/http"

	"github.com/clamor-live/clamor/services/internal/client"
)

type option struct{ id, label, color, keyword string }

var options = []option{
	{"anna", "Anna", "#ff5a5f", "#anna"},
	{"ben", "Ben", "#2a9d8f", "#ben"},
	{"chloe", "Chloé", "#f4a261", "#chloe"},
}

// prepare makes what is missing and opens the poll. It can be done again at any
// time.
func (d *demo) prepare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.show, d.poll, d.open, d.topic, d.source} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) show(ctx context.Context) error {
	_, err := d.api.Create(ctx, "/v1/shows", client.Object{
		"id": Show, "title": "Clamor demo", "timezone": "Europe/Paris", "locale": "en", "languages": []string{"en", "es", "pt"},
	}, nil)
	return err
}

func (d *demo) poll(ctx context.Context) error {
	var list []client.Object
	for _, o := range options {
		list = append(list, client.Object{"id": o.id, "label": o.label, "color": o.color, "keywords": []string{o.keyword}})
	}
	_, err := d.api.Create(ctx, "/v1/polls", client.Object{
		"id": Poll, "show": Show, "kind": "choice", "question": "Who wins tonight?", "options": list,
		"limits": client.Object{"ballots_per_voter": 1, "on_repeat": "replace"}, "reveal": "open",
		"social": client.Object{"count": "authors", "match": "anywhere"},
	}, nil)
	return err
}

// open starts the first round, or a new one if the last was closed: a demo that
// stands still shows nothing. Paused and frozen are left as somebody wants them.
func (d *demo) open(ctx context.Context) error {
	var state struct {
		Phase string `json:"phase"`
	}
	if err := d.api.Get(ctx, "/v1/polls/"+Poll+"/state", &state); err != nil {
		return err
	}
	switch state.Phase {
	case "closed", "verified":
		if err := d.api.Command(ctx, Poll, "reset"); err != nil {
			return err
		}
	case "standby":
	default:
		return nil
	}
	return d.api.Command(ctx, Poll, "open")
}

// topic listens to all that the demo's people write.
func (d *demo) topic(ctx context.Context) error {
	_, err := d.api.Create(ctx, "/v1/topics", client.Object{
		"id": Topic, "show": Show, "title": "The final, as people see it", "rule": "source:" + Source,
	}, nil)
	return err
}

// source is made anew with every start: its key is shown once and kept nowhere.
func (d *demo) source(ctx context.Context) error {
	var made struct {
		Key string `json:"key"`
	}
	if err := d.anew(ctx, "/v1/sources", Source, client.Object{
		"id": Source, "show": Show, "connector": "push", "polls": []string{Poll}, "enabled": true,
	}, &made); err != nil {
		return err
	}
	d.push = d.api.As(made.Key)
	return nil
}

func (d *demo) anew(ctx context.Context, path, id string, in, out any) error {
	err := d.api.Call(ctx, http.MethodDelete, path+"/"+id, nil, nil)
	var p *client.Problem
	if err != nil && (!errors.As(err, &p) || p.Status != http.StatusNotFound) {
		return err
	}
	return d.api.Post(ctx, path, in, out)
}
