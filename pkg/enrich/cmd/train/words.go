package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// vocabulary is the words of one language with their counts.
type vocabulary struct {
	code  string
	words []string
	count []float64
	draws map[float64][]float64 // exponent -> cumulative weights
	chat  []string              // words of posts that no film speaks
}

// wordLists reads all languages; the variants of one language are merged.
func wordLists(data string) ([]*vocabulary, error) {
	dir := filepath.Join(data, "langid", "words")
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	merged := map[string]map[string]float64{}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".txt.gz")
		code, _, _ := strings.Cut(name, "_")
		lines, err := readLines(dir, f.Name())
		if err != nil {
			return nil, err
		}
		addWords(merged, code, lines)
	}
	return vocabularies(merged), nil
}

func addWords(merged map[string]map[string]float64, code string, lines []string) {
	if merged[code] == nil {
		merged[code] = map[string]float64{}
	}
	part := map[string]float64{}
	var total float64
	for _, line := range lines {
		word, count, _ := strings.Cut(line, " ")
		n, err := strconv.ParseFloat(count, 64)
		word = repair(code, word)
		if err != nil || word == "" || !fits(code, word) {
			continue
		}
		part[word] += n
		total += n
	}
	for w, n := range part {
		merged[code][w] += n / total
	}
}

// repair undoes known faults of the lists' encodings.
func repair(code, word string) string {
	word = strings.Trim(word, "-'’.")
	switch code {
	case "is":
		word = strings.NewReplacer("đ", "ð", "ū", "þ", "Đ", "Ð", "Ū", "Þ").Replace(word)
	case "ro":
		word = strings.NewReplacer("ş", "ș", "ţ", "ț").Replace(word)
	}
	return word
}

// scripts names the scripts that a language's words may be in; Latin if none.
var scripts = map[string][]*unicode.RangeTable{
	"ar": {unicode.Arabic}, "fa": {unicode.Arabic}, "ur": {unicode.Arabic},
	"bg": {unicode.Cyrillic}, "mk": {unicode.Cyrillic}, "ru": {unicode.Cyrillic}, "uk": {unicode.Cyrillic}, "kk": {unicode.Cyrillic},
	"bn": {unicode.Bengali}, "el": {unicode.Greek}, "he": {unicode.Hebrew}, "hi": {unicode.Devanagari}, "hy": {unicode.Armenian},
	"ja": {unicode.Han, unicode.Hiragana, unicode.Katakana}, "ka": {unicode.Georgian}, "ko": {unicode.Hangul}, "ml": {unicode.Malayalam},
	"si": {unicode.Sinhala}, "ta": {unicode.Tamil}, "te": {unicode.Telugu}, "th": {unicode.Thai}, "zh": {unicode.Han},
}

func fits(code, word string) bool {
	allowed := scripts[code]
	if allowed == nil {
		allowed = []*unicode.RangeTable{unicode.Latin}
	}
	letters := 0
	for _, r := range word {
		if unicode.IsMark(r) || r == 'ー' || r == 0x200C || r == 0x200D || r == '\'' || r == '-' {
			continue
		}
		if !unicode.In(r, allowed...) {
			return false
		}
		letters++
	}
	return letters > 0
}

// vocabularies drops the words that stray from one language's films into
// another's list: those far more frequent elsewhere.
func vocabularies(merged map[string]map[string]float64) []*vocabulary {
	most := map[string]float64{}
	for _, words := range merged {
		for w, p := range words {
			most[w] = max(most[w], p)
		}
	}
	var out []*vocabulary
	for code, words := range merged {
		v := &vocabulary{code: code, draws: map[float64][]float64{}}
		for w, p := range words {
			if p*strayFactor >= most[w] {
				v.words = append(v.words, w)
			}
		}
		sort.Slice(v.words, func(i, j int) bool {
			a, b := words[v.words[i]], words[v.words[j]]
			return a > b || a == b && v.words[i] < v.words[j]
		})
		for _, w := range v.words {
			v.count = append(v.count, words[w])
		}
		v.chat = chatWords(code)
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].code < out[j].code })
	return out
}

const strayFactor = 40

// draw picks a word with probability proportional to frequency^power.
func (v *vocabulary) draw(rng *rand.Rand, power float64) string {
	sums, ok := v.draws[power]
	if !ok {
		var sum float64
		for _, c := range v.count {
			sum += math.Pow(c, power)
			sums = append(sums, sum)
		}
		v.draws[power] = sums
	}
	x := rng.Float64() * sums[len(sums)-1]
	return v.words[min(sort.SearchFloat64s(sums, x), len(v.words)-1)]
}

// post makes up a post of a few words, as people write them.
func (v *vocabulary) post(rng *rand.Rand) string {
	power, most := 0.85, 10
	switch x := rng.Float64(); {
	case x < 0.15:
		power, most = 0.45, 3
	case x < 0.30:
		power, most = 0.25, 2
	}
	sep := " "
	if v.code == "ja" || v.code == "zh" || v.code == "th" {
		sep = ""
	}
	words := make([]string, 1+rng.IntN(most))
	for i := range words {
		if len(v.chat) > 0 && rng.IntN(chatShare) == 0 {
			words[i] = v.chat[rng.IntN(len(v.chat))]
			continue
		}
		words[i] = v.draw(rng, power)
	}
	text := strings.Join(words, sep)
	if scripts[v.code] == nil && rng.IntN(7) == 0 {
		text = bare(text)
	}
	if v.code == "sr" && rng.IntN(3) == 0 {
		text = toCyrillic.Replace(text)
	}
	return text
}

// bare removes accents, as keyboards in a hurry do.
func bare(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

var toCyrillic = strings.NewReplacer("lj", "љ", "nj", "њ", "dž", "џ", "a", "а", "b", "б", "v", "в", "g", "г", "d", "д", "đ", "ђ",
	"e", "е", "ž", "ж", "z", "з", "i", "и", "j", "ј", "k", "к", "l", "л", "m", "м", "n", "н", "o", "о", "p", "п", "r", "р",
	"s", "с", "t", "т", "ć", "ћ", "u", "у", "f", "ф", "h", "х", "c", "ц", "č", "ч", "š", "ш")
