package connect

import (
	"strings"
	"testing"
)

func TestSettingsAreReadStrictly(t *testing.T) {
	s := Read(map[string]any{
		"text": "t", "n": 7.0, "share": 0.5, "on": true, "list": []any{"a", "b"}, "map": map[string]any{"k": "v"},
		"at": "wss://example.org/x", "kind": "b", "none": nil,
	})
	if s.Need("text") != "t" || s.Int("n", 1, 0, 9) != 7 || s.Float("share", 1, 0, 1) != 0.5 || !s.Bool("on", false) ||
		len(s.Strings("list")) != 2 || s.Map("map")["k"] != "v" || s.URL("at", "", "ws", "wss").Host != "example.org" ||
		s.OneOf("kind", "a", "b") != "b" || s.String("none", "else") != "else" || s.Int("missing", 3, 0, 9) != 3 || s.Strings("missing") != nil {
		t.Error("a setting is misread")
	}
	if err := s.Done(); err != nil {
		t.Error(err)
	}
	bad := Read(map[string]any{
		"text": 1.0, "n": 1.5, "share": 2.0, "on": "yes", "list": []any{""}, "map": []any{}, "at": "ftp://x", "kind": "c", "more": "secret",
	})
	bad.Need("text")
	bad.Need("missing")
	bad.Int("n", 0, 0, 9)
	bad.Float("share", 0, 0, 1)
	bad.Bool("on", false)
	bad.Strings("list")
	bad.Map("map")
	bad.URL("at", "", "https")
	bad.OneOf("kind", "a", "b")
	err := bad.Done()
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Fatal(err)
	}
	for _, name := range []string{"text", "missing", "n", "share", "on", "list", "map", "at", "kind", "more"} {
		if strings.Count(err.Error(), "settings."+name+" ") != 1 {
			t.Errorf("%s is not named once in %v", name, err)
		}
	}
}
