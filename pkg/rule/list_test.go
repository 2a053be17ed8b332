package rule

import "testing"

func TestLists(t *testing.T) {
	words, err := AnyOf([]string{"golaço", "fora de jogo", " #bet "})
	if err != nil {
		t.Fatal(err)
	}
	authors, err := AnyFrom([]string{"@globo", "spam"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Compile([]Named{{"words", words}, {"authors", authors}}, plainTokens{})
	if err != nil {
		t.Fatal(err)
	}
	m := s.NewMatcher()
	for text, want := range map[string]bool{
		"que golaço": true, "estava fora de jogo": true, "fora do jogo": false, "ganhe #bet": true, "bet": false, "@spam oi": false,
	} {
		got := m.Match(doc(text)) // doc is by globo
		if has := len(got) == 2 && got[0] == 0; has != want || got[len(got)-1] != 1 {
			t.Errorf("%q: have %v, want words %v and the author", text, got, want)
		}
	}
	for _, bad := range [][]string{nil, {""}, {"?!"}, {"#"}, make([]string, MaxTerms+1)} {
		if _, err := AnyOf(bad); err == nil {
			t.Errorf("%q must not be a list", bad)
		}
	}
}
