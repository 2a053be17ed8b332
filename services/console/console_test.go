package console_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/services/console"
)

func TestPagesEscapeWhatPeopleWrote(t *testing.T) {
	pages, err := console.New()
	if err != nil {
		t.Fatal(err)
	}
	const evil = `"><script>alert(1)</script>`
	voter := struct {
		Poll, Question, Title, Locale string
		Rehearsal, Found              bool
	}{evil, evil, evil, evil, true, true}
	overlay := struct {
		Poll, Question, Locale string
		Rehearsal              bool
	}{evil, evil, evil, true}
	topic := struct {
		Topic, Title, Locale string
		Rehearsal            bool
	}{evil, evil, evil, true}
	for name, data := range map[string]any{"voter": voter, "overlay": overlay, "topic": topic} {
		body, err := pages.Page(name, data)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte("<script>alert")) {
			t.Errorf("%s: %s", name, body)
		}
	}
	if _, err := pages.Page("none", nil); err == nil {
		t.Error("a page that there is not")
	}
}

func TestAssets(t *testing.T) {
	pages, err := console.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"voter.js": "text/javascript", "overlay.css": "text/css"} {
		contentType, body, ok := pages.Asset(name)
		if !ok || len(body) == 0 || !strings.HasPrefix(contentType, want) {
			t.Errorf("%s: %q, %d bytes", name, contentType, len(body))
		}
	}
	for _, name := range []string{"none.js", "../pages/home.html", ""} {
		if _, _, ok := pages.Asset(name); ok {
			t.Errorf("%q is served", name)
		}
	}
}
