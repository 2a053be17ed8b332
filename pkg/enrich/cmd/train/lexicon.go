package main

import (
	"embed"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// lists names the lexicons that are shipped, by language. sentilex and udelar
// state no licence and are never read here.
var lists = map[string][]struct {
	file  string
	scale float64
	stems bool
}{
	"en": {{"vader_en.tsv", 1.2, false}, {"mls_afinn_en.tsv", 1, false}, {"nlpjs_senticon_en.tsv", 4, true}},
	"es": {{"mls_afinn_es.tsv", 1, false}, {"nlpjs_afinn_es.tsv", 1, true}, {"nlpjs_senticon_es.tsv", 4, true}},
	"pt": {{"leia_pt.tsv", 1.2, false}, {"mls_afinn_pt.tsv", 1, false}, {"nlpjs_afinn_pt.tsv", 1, true}},
}

// roleWords are the words that change the valence of what follows.
var roleWords = map[string]map[string]string{
	"en": {
		"not":    "not no never none nobody nothing neither nor cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt aint without don doesn didn isn aren wasn weren won wouldn shouldn couldn ain havent hasnt haven hasn",
		"very":   "very so really too extremely absolutely totally such super incredibly most fucking freaking hella damn soo",
		"hardly": "hardly barely slightly somewhat kinda almost little",
		"but":    "but however although though yet",
	},
	"es": {
		"not":    "no nunca jamas sin ni tampoco nada nadie ningun ninguno ninguna",
		"very":   "muy tan demasiado super mucho mucha muchos muchas re bastante totalmente bien tanto",
		"hardly": "poco apenas algo casi",
		"but":    "pero aunque sino embargo",
	},
	"pt": {
		"not":    "nao n nunca jamais sem nem nada ninguem nenhum nenhuma num naum nn",
		"very":   "muito mt mto mta muita tao super demais bem bastante totalmente extremamente tanto mtt",
		"hardly": "pouco apenas quase meio",
		"but":    "mas porem embora contudo",
	},
}

//go:embed lexicon/*.txt
var colloquial embed.FS

// cognates names the languages whose lists serve another as a second opinion.
var cognates = map[string][]string{"es": {"pt"}, "pt": {"es"}}

// addColloquial reads lines of a valence and the words that have it.
func addColloquial(code string, add func(string, float64)) error {
	text, err := colloquial.ReadFile("lexicon/" + code + ".txt")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return err
		}
		for _, w := range fields[1:] {
			add(w, v)
		}
	}
	return nil
}

// readLexicons builds the lexicons in the order of sentiment.Languages.
func readLexicons(data string) ([]*sentiment.Lexicon, error) {
	var out []*sentiment.Lexicon
	for _, code := range sentiment.Languages() {
		b := sentiment.NewLexicon()
		for _, l := range lists[code] {
			add := b.AddRated
			if l.stems {
				add = b.AddStem
			}
			if err := eachValence(data, l.file, func(w string, v float64) { add(w, v*l.scale) }); err != nil {
				return nil, err
			}
		}
		if err := addColloquial(code, b.AddRated); err != nil {
			return nil, err
		}
		if err := addCognates(data, code, b); err != nil {
			return nil, err
		}
		if err := eachValence(data, "emoji.tsv", func(w string, v float64) { b.AddEmoji(w, 5*v) }); err != nil {
			return nil, err
		}
		for role, words := range roleWords[code] {
			b.AddRole(role, strings.Fields(words)...)
		}
		out = append(out, b)
	}
	return out, nil
}

func addCognates(data, code string, b *sentiment.Lexicon) error {
	for _, other := range cognates[code] {
		for _, l := range lists[other] {
			if err := eachValence(data, l.file, func(w string, v float64) { b.AddStem(w, v*l.scale) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func eachValence(data, file string, add func(string, float64)) error {
	rows, err := readLabelled(filepath.Join(data, "lexicons", file))
	if err != nil {
		return err
	}
	for _, r := range rows {
		if v, err := strconv.ParseFloat(strings.TrimSpace(r.text), 64); err == nil {
			add(strings.ToLower(r.label), v)
		}
	}
	return nil
}
