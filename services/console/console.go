// Package console holds the pages for people: the list of shows, the voter's
// page and the overlay. They are plain HTML, CSS and scripts without a build,
// carried in the binary.
//
// Its one trick: pages know nothing but the public contract, so they work behind
// any address the API has.
package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"path"
)

//go:embed pages assets
var files embed.FS

// Pages are the templates and assets. It is safe for concurrent use.
type Pages struct {
	templates *template.Template
	assets    map[string][]byte
}

// New parses the pages.
func New() (*Pages, error) {
	t, err := template.ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the pages: %w", err)
	}
	p := &Pages{templates: t, assets: map[string][]byte{}}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	for _, e := range entries {
		body, err := fs.ReadFile(files, path.Join("assets", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the asset %s: %w", e.Name(), err)
		}
		p.assets[e.Name()] = body
	}
	return p, nil
}

// Page renders home, voter, overlay or topic.
func (p *Pages) Page(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name+".html", data); err != nil {
		return nil, fmt.Errorf("render the page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// Asset is a script, a style or an image.
func (p *Pages) Asset(name string) (contentType string, body []byte, ok bool) {
	body, ok = p.assets[name]
	switch path.Ext(name) {
	case ".js":
		contentType = "text/javascript; charset=utf-8"
	case ".css":
		contentType = "text/css; charset=utf-8"
	case ".svg":
		contentType = "image/svg+xml"
	default:
		contentType = mime.TypeByExtension(path.Ext(name))
	}
	return contentType, body, ok
}
