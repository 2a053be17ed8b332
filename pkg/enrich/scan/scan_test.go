package scan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var kinds = [...]string{Word: "w", Number: "n", Mention: "@", Link: "link", Emoji: "e", Mark: "m"}

// shape writes tokens as kind:letters, with the sources of all but words.
func shape(s *Scanner) []string {
	var out []string
	for _, t := range s.Tokens {
		text := string(s.Letters[t.First : t.First+t.Runes])
		if t.Kind != Word {
			text = string(s.Text[t.Start:t.End])
		}
		out = append(out, kinds[t.Kind]+":"+text)
	}
	return out
}

func TestScan(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"words", "Olá, mundo", []string{"w:olá", "m:,", "w:mundo"}},
		{"drawn out", "goooool", []string{"w:gol"}},
		{"hashtag", "#MasterChefBR já", []string{"w:masterchefbr", "w:já"}},
		{"hashtag of two", "#copa_2026!", []string{"w:copa", "n:2026", "m:!"}},
		{"mention", "oi @Joao_9: tudo", []string{"w:oi", "@:@Joao_9", "m::", "w:tudo"}},
		{"domain handle", "@ana.bsky.social.", []string{"@:@ana.bsky.social", "m:."}},
		{"mail is no mention", "a@b", []string{"w:a", "m:@", "w:b"}},
		{"link", "ver https://t.co/x?y=1 já", []string{"w:ver", "link:https://t.co/x?y=1", "w:já"}},
		{"bare link", "pic.twitter.com/abC ok", []string{"link:pic.twitter.com/abC", "w:ok"}},
		{"domain", "veja globo.com agora", []string{"w:veja", "link:globo.com", "w:agora"}},
		{"no link", "fim.Começo", []string{"w:fim", "m:.", "w:começo"}},
		{"apostrophe", "don't", []string{"w:don", "w:t"}},
		{"entity", "a &amp; b", []string{"w:a", "w:b"}},
		{"escape", `it\u2019s \u0041b`, []string{"w:it", "w:s", "w:ab"}},
		{"emoticon", "ok :-) 😂👍🏽", []string{"w:ok", "m::-)", "e:😂", "e:👍🏽"}},
		{"family", "👨‍👩‍👧 x", []string{"e:👨‍👩‍👧", "w:x"}},
		{"flags", "🇧🇷🇦🇷", []string{"e:🇧🇷", "e:🇦🇷"}},
		{"zero width", "he\u200bllo\u200f \u202eok\u202c", []string{"w:hello", "w:ok"}},
		{"decomposed", "cafe\u0301", []string{"w:café"}},
		{"thai in fours", "สวัสดีครับ", []string{"w:สวัส", "w:ดีคร", "w:ับ"}},
		{"han in fours", "我们今天去", []string{"w:我们今天", "w:去"}},
		{"mathematical", "𝓗𝓮𝓵𝓵𝓸", []string{"w:hello"}},
		{"ornaments", "ᴀɴᴀ ＭＡＲＩＡ ᴾᵉᵈʳᵒ", []string{"w:ana", "w:maria", "w:pedro"}},
		{"numbers", "3x1 ١٢", []string{"n:3", "w:x", "n:1", "n:١٢"}},
		{"not UTF-8", "a\xffb", []string{"w:a", "w:b"}},
		{"empty", "", nil},
	}
	s := New()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Scan([]byte(tt.text))
			if d := cmp.Diff(tt.want, shape(s)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSpellingsOfOneTag(t *testing.T) {
	s := New()
	s.Scan([]byte("#São_Paulo #saopaulo #SAOPAULO #rio"))
	if len(s.Tags) != 2 {
		t.Fatalf("have %d tags, want 2", len(s.Tags))
	}
	if got := string(s.Text[s.Tags[0].Start:s.Tags[0].End]); got != "São_Paulo" {
		t.Errorf("tag %q", got)
	}
}

func TestHashes(t *testing.T) {
	s := New()
	hash := func(text string) (uint64, uint64) {
		exact, folded, ok := s.WordHash(text)
		if !ok {
			t.Fatalf("%q is not one token", text)
		}
		return exact, folded
	}
	e1, f1 := hash("José")
	e2, f2 := hash("jose")
	e3, _ := hash("JOSE\u0301")
	if e1 == e2 || f1 != f2 || e1 != e3 {
		t.Error("accents: exact hashes must differ, folded ones agree, both ways of writing be one")
	}
	if Mix(e1, e2) == Mix(e2, e1) {
		t.Error("the order of a phrase must matter")
	}
}

func TestBounds(t *testing.T) {
	s := New()
	s.Scan([]byte(strings.Repeat("#abcdefgh", 20_000)))
	if len(s.Tokens) > MaxTokens || len(s.Tags) > MaxTags {
		t.Errorf("%d tokens, %d tags", len(s.Tokens), len(s.Tags))
	}
	s.Scan([]byte(strings.Repeat("word ", 100_000)))
	if len(s.Tokens) > MaxTokens {
		t.Errorf("%d tokens", len(s.Tokens))
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{"", "@a #b http://c.d/e", "a\xff\\u00", "👨‍👩‍👧🇧🇷", "e\u0301\u0301", "x.com/", "&#39;&"} {
		f.Add([]byte(seed))
	}
	s := New()
	f.Fuzz(func(t *testing.T, text []byte) {
		s.Scan(text)
		last := int32(0)
		for _, k := range s.Tokens {
			if k.Start < last || k.End < k.Start || int(k.End) > len(s.Text) || int(k.First+k.Runes) > len(s.Letters) {
				t.Fatalf("token %+v after %d in %q", k, last, text)
			}
			last = k.Start
		}
		for _, g := range s.Tags {
			if g.Start > g.End || int(g.End) > len(s.Text) {
				t.Fatalf("tag %+v in %q", g, text)
			}
		}
		if utf8.Valid(text) && len(text) <= MaxBytes && s.Invalid != 0 {
			t.Fatalf("%d invalid bytes in valid text", s.Invalid)
		}
	})
}
