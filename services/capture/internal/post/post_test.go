package post

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
)

func TestStrict(t *testing.T) {
	got, err := Strict([]byte(`{"id":"7","platform":"x","author":{"id":"u","name":"Ann","followers":3,"created_at":"2020-01-01T00:00:00Z"},
		"text":"hi","created_at":"2026-05-01T20:00:00.5Z","language":"en","coordinates":{"lat":1.5,"lon":-2},"links":["https://a.test"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := audience.Post{ID: "7", Platform: "x", Author: audience.Author{ID: "u", Name: "Ann", Followers: 3, CreatedAt: 1577836800000},
		Text: "hi", CreatedAt: 1777665600500, Language: "en", Coordinates: &audience.Coordinates{Lat: 1.5, Lon: -2}, Links: []string{"https://a.test"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for body, pointer := range map[string]string{
		`{"author":{"id":"u"},"text":"","created_at":"2026-05-01T20:00:00Z"}`:                                           "/id",
		`{"id":"7","text":"","created_at":"2026-05-01T20:00:00Z"}`:                                                      "/author",
		`{"id":"7","author":{"name":"u"},"text":"","created_at":"2026-05-01T20:00:00Z"}`:                                "/author/id",
		`{"id":"7","author":{"id":"u"},"created_at":"2026-05-01T20:00:00Z"}`:                                            "/text",
		`{"id":"7","author":{"id":"u"},"text":""}`:                                                                      "/created_at",
		`{"id":"7","author":{"id":"u"},"text":"","created_at":"2026-05-01 20:00:00"}`:                                   "/created_at",
		`{"id":"7","author":{"id":"u"},"text":"","created_at":"2026-05-01T20:00:00Z","likes":1}`:                        "/likes",
		`{"id":"7","platform":"a:b","author":{"id":"u"},"text":"","created_at":"2026-05-01T20:00:00Z"}`:                 "/platform",
		`{"id":"7","author":{"id":"u","age":3},"text":"","created_at":"2026-05-01T20:00:00Z"}`:                          "/author/age",
		`{"id":"7","author":{"id":"u"},"text":"","created_at":"2026-05-01T20:00:00Z","coordinates":{"lat":91,"lon":0}}`: "/coordinates",
	} {
		_, err := Strict([]byte(body))
		e, ok := fault.As(err)
		if !ok || e.Code != fault.InvalidRequest || len(e.Fields) != 1 || e.Fields[0].Pointer != pointer {
			t.Errorf("%s: %+v, want a fault at %s", body, err, pointer)
		}
	}
	for _, at := range []string{"1970-01-01T00:00:00Z", "1904-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"} { // platforms lie
		if _, err := Strict([]byte(`{"id":"7","author":{"id":"u"},"text":"","created_at":"` + at + `"}`)); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, beyond := range []string{
		`{"id":"7","author":{"id":"u"},"text":"","created_at":"9999-12-31T23:59:59-14:00"}`,
		`{"id":"7","author":{"id":"u","created_at":"0000-01-01T00:00:00+14:00"},"text":"","created_at":"2026-05-01T20:00:00Z"}`,
	} {
		if _, err := Strict([]byte(beyond)); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v", beyond, err)
		}
	}
	if _, err := Strict([]byte(`{"id"`)); !fault.Is(err, fault.BadJSON) {
		t.Error(err)
	}
}

func TestLenient(t *testing.T) {
	for body, want := range map[string]audience.Post{
		`{"id":"wc-1","created_at":"2022-11-20 16:07:41+00:00","text":"t","likes":0,"source":"web"}`: {ID: "wc-1", Author: audience.Author{ID: "wc-1"}, Text: "t", CreatedAt: 1668960461000},
		`{"id":17,"created_at":1668960461,"text":"t","author":{"id":"u"},"coordinates":"Doha"}`:      {ID: "17", Author: audience.Author{ID: "u"}, Text: "t", CreatedAt: 1668960461000},
		`{"id":"1","created_at":"Sun Nov 20 16:07:41 +0000 2022","text":"t","platform":"X"}`:         {ID: "1", Platform: "x", Author: audience.Author{ID: "1"}, Text: "t", CreatedAt: 1668960461000},
	} {
		got, err := Lenient([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, body := range []string{``, `[]`, `{"id":"1","text":"t"}`, `{"id":"1","created_at":"soon","text":"t"}`, `{"id":"1","created_at":"9999-12-31T23:59:59-14:00","text":"t"}`, `{"id":"1","created_at":1668960461}`,
		`{"created_at":1668960461,"text":"t"}`, "{\"id\":\"\xff\",\"created_at\":1668960461,\"text\":\"t\"}"} {
		if _, err := Lenient([]byte(body)); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

func TestLenientOr(t *testing.T) {
	for body, want := range map[string]audience.Post{
		`{"text":"t"}`: {ID: "beside", Author: audience.Author{ID: "beside"}, Text: "t", CreatedAt: 7},
		`{"id":"1","text":"t","created_at":1668960461}`: {ID: "1", Author: audience.Author{ID: "1"}, Text: "t", CreatedAt: 1668960461000},
	} {
		got, err := LenientOr([]byte(body), "beside", 7)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}

func FuzzPost(f *testing.F) {
	f.Add([]byte(`{"id":"7","author":{"id":"u"},"text":"","created_at":"2026-05-01T20:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Strict(data)
		if err == nil && (p.ID == "" || p.Author.ID == "" || p.CreatedAt == 0) {
			t.Fatalf("%+v", p)
		}
		if _, err := Lenient(data); err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatal(err)
			}
		}
	})
}
