package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/lang"
)

const (
	languageSeed  = 20221120
	languageBits  = 17
	languageSynth = 6000
	languageScale = 1.1
)

// corpus is everything the language model learns from.
type corpus struct {
	names  []string
	index  map[string]int
	lists  []*vocabulary
	tweets []labelled // TweetLID: label as given
	others []labelled // tweets whose collection tells the language
	synth  int        // made-up posts a language and epoch
	epochs int
}

func readCorpus(data string) (*corpus, error) {
	lists, err := wordLists(data)
	if err != nil {
		return nil, err
	}
	c := &corpus{lists: lists, index: map[string]int{}, synth: languageSynth, epochs: 4}
	for _, v := range lists {
		c.names = append(c.names, v.code)
	}
	c.names = append(c.names, lang.Undetermined)
	for i, n := range c.names {
		c.index[n] = i
	}
	if c.tweets, err = readLabelled(data, "langid", "tweetlid_train.tsv.gz"); err != nil {
		return nil, err
	}
	return c, c.readOthers(data)
}

// readOthers takes tweets of sentiment collections, whose language is known.
func (c *corpus) readOthers(data string) error {
	files := []struct {
		code, file string
		limit      int
	}{
		{"ar", "umsab_arabic_train.tsv.gz", 1800}, {"en", "umsab_english_train.tsv.gz", 1800},
		{"fr", "umsab_french_train.tsv.gz", 1800}, {"de", "umsab_german_train.tsv.gz", 1800},
		{"it", "umsab_italian_train.tsv.gz", 1800}, {"pt", "umsab_portuguese_train.tsv.gz", 1800},
		{"es", "umsab_spanish_train.tsv.gz", 1800}, {"en", "semeval_2013_2016.tsv.gz", 6000},
		{"es", "tass2020.tsv.gz", 3000}, {"pt", "afrisenti_pt_mz.tsv.gz", 3000},
	}
	for _, f := range files {
		rows, err := readLabelled(data, "sentiment", f.file)
		if err != nil {
			return err
		}
		step := max(1, len(rows)/f.limit)
		for i := 0; i < len(rows); i += step {
			c.others = append(c.others, labelled{f.code, rows[i].text})
		}
	}
	return nil
}

// target spreads a label such as "es", "ca+es" or "gl/pt" over classes.
func (c *corpus) target(label string) []lang.Share {
	parts := strings.FieldsFunc(label, func(r rune) bool { return r == '+' || r == '/' })
	var out []lang.Share
	for _, p := range parts {
		i, ok := c.index[p]
		if !ok {
			return nil
		}
		out = append(out, lang.Share{Class: i, Weight: 1 / float32(len(parts))})
	}
	return out
}

// piece is one sample before it is shuffled.
type piece struct {
	text   string
	target []lang.Share
}

// stream gives made-up posts of every language, and the tweets that keep.
func (c *corpus) stream(tweets []labelled, others []labelled) lang.Stream {
	return func(epoch int, emit func([]byte, []lang.Share)) {
		rng := rand.New(rand.NewPCG(languageSeed, uint64(epoch)))
		var all []piece
		for i, v := range c.lists {
			target := []lang.Share{{Class: i, Weight: 1}}
			for range c.synth {
				all = append(all, piece{v.post(rng), target})
			}
		}
		for _, t := range tweets {
			all = c.addTweet(rng, all, t)
		}
		for _, t := range others {
			target := c.target(t.label)
			all = append(all, piece{t.text, target}, piece{span(rng, t.text), target})
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, p := range all {
			emit([]byte(p.text), p.target)
		}
	}
}

func (c *corpus) addTweet(rng *rand.Rand, all []piece, t labelled) []piece {
	target := c.target(t.label)
	if target == nil {
		return all
	}
	all = append(all, piece{t.text, target}, piece{t.text, target})
	if t.label == lang.Undetermined {
		return append(all, piece{t.text, target}, piece{t.text, target})
	}
	copies := 1
	if few[t.label] {
		copies = 3
	}
	for range copies {
		if len(target) == 1 {
			all = append(all, piece{span(rng, t.text), target}, piece{span(rng, t.text), target})
		}
		if copies > 1 {
			all = append(all, piece{t.text, target})
		}
	}
	return all
}

// few marks the labels with so few tweets that each is read more often.
var few = map[string]bool{"gl": true, "eu": true, "en": true, "es+eu": true, "ca+es": true, "en+es": true, "gl/pt": true, "es/gl": true}

// span cuts a few words out of a tweet: short posts in the tweets' own words.
func span(rng *rand.Rand, text string) string {
	words := strings.Fields(text)
	n := 2 + rng.IntN(5)
	if n >= len(words) {
		return text
	}
	at := rng.IntN(len(words) - n + 1)
	return strings.Join(words[at:at+n], " ")
}

// common are the languages of most posts on the networks that shows listen to;
// the model itself learns from equal shares.
var common = map[string]float32{"en": 0.5, "es": 0.5, "pt": 0.6, lang.Undetermined: 0.9}

func (c *corpus) config() lang.Config {
	return lang.Config{Names: c.names, Bits: languageBits, Epochs: c.epochs, Rate: 0.5, Scale: languageScale, Usual: common}
}

func trainLanguage(j job) error {
	c, err := readCorpus(j.data)
	if err != nil {
		return err
	}
	if j.check {
		return c.crossValidate(j.fold)
	}
	m := lang.Train(c.config(), c.stream(c.tweets, c.others))
	file, err := m.Encode()
	if err != nil {
		return err
	}
	fmt.Printf("language: %d classes, %d bytes\n", len(c.names), len(file))
	return os.WriteFile(filepath.Join(j.out, "lang", "language.model"), file, 0o644)
}
