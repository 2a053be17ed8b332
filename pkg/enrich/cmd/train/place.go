package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/clamor-live/clamor/pkg/enrich/place"
)

//go:embed gazetteer/*.txt
var gazetteer embed.FS

// atlas collects a gazetteer and finds its rows by name.
type atlas struct {
	place.Source
	country map[string]int
	region  map[string]int // "CC.code"
	byName  map[string]int // "CC|name" -> largest city or, with @, region
	own     int            // the first alias that was written for this gazetteer
}

func readAtlas(data string, carmen bool) (*atlas, error) {
	a := &atlas{country: map[string]int{}, region: map[string]int{}, byName: map[string]int{}}
	for _, step := range []func(string) error{a.readCountries, a.readRegions, a.readCities, a.readAliases, a.readNowhere, a.readCommon} {
		if err := step(filepath.Join(data, "places")); err != nil {
			return nil, err
		}
	}
	if carmen {
		return a, a.readCarmen(data)
	}
	return a, nil
}

// tongues are the languages whose names of countries are read.
var tongues = strings.Fields("en es pt pt-PT fr de it ca gl eu nl sv da no fi pl cs sk hu ro tr ru uk bg el he ar fa hi id ms vi th ja ko zh hr sr sl lt lv et is sq")

// readCountries takes the codes of the cities' countries, and the names that
// CLDR gives them.
func (a *atlas) readCountries(dir string) error {
	lines, err := readLines(dir, "cities.tsv.gz")
	if err != nil {
		return err
	}
	codes := map[string]bool{}
	for _, l := range lines {
		codes[strings.Split(l, "\t")[3]] = true
	}
	var sorted []string
	for c := range codes {
		if len(c) == 2 {
			sorted = append(sorted, c)
		}
	}
	sort.Strings(sorted)
	english := display.English.Regions()
	for _, code := range sorted {
		region, err := language.ParseRegion(code)
		if err != nil {
			continue
		}
		c := place.Country{Code: code, Name: english.Name(region)}
		if c.Name == "" {
			continue
		}
		for _, tongue := range tongues {
			n := display.Regions(language.MustParse(tongue))
			if n == nil {
				continue
			}
			// Vietnamese names such as "Bỉ" and "Áo" are words elsewhere.
			if name := n.Name(region); len(bare(name)) > 3 || name != "" && name[0] >= utf8.RuneSelf && !unicode.Is(unicode.Latin, []rune(name)[0]) {
				c.Aliases = append(c.Aliases, name)
			}
		}
		c.Aliases = append(c.Aliases, string([]rune{0x1F1E6 + rune(code[0]-'A'), 0x1F1E6 + rune(code[1]-'A')}))
		a.country[code] = len(a.Countries)
		a.Countries = append(a.Countries, c)
	}
	return nil
}

// directions are names of regions that mean nothing by themselves.
var directions = map[string]bool{"north": true, "south": true, "east": true, "west": true, "northern": true, "southern": true,
	"eastern": true, "western": true, "central": true, "northwest": true, "northeast": true, "southwest": true, "southeast": true,
	"nord": true, "sud": true, "maritime": true, "littoral": true, "plateaux": true, "west coast": true, "east coast": true, "center": true, "centre": true}

func (a *atlas) readRegions(dir string) error {
	rows, err := readLabelled(dir, "admin1.tsv.gz")
	for _, r := range rows {
		cc, code, _ := strings.Cut(r.label, ".")
		if i, ok := a.country[cc]; ok {
			a.region[r.label] = len(a.Regions)
			a.byName[cc+"|@"+strings.ToLower(bare(r.text))] = len(a.Regions)
			if cc != "US" && cc != "CA" && cc != "AU" {
				code = "" // only these write their codes
			}
			a.Regions = append(a.Regions, place.Region{Country: i, Code: code, Name: r.text, Silent: directions[strings.ToLower(r.text)]})
		}
	}
	return err
}

// seats are the fewest people of a place that is the seat of a region or a
// district: of many no figure is told.
var seats = map[string]int{"PPLA": 60_000, "PPLA2": 15_000, "PPLC": 100_000}

const knownJoined = 200_000 // people of a city that is also known without its spaces

func (a *atlas) readCities(dir string) error {
	lines, err := readLines(dir, "cities.tsv.gz")
	if err != nil {
		return err
	}
	for _, l := range lines {
		f := strings.Split(l, "\t")
		country, ok := a.country[f[3]]
		if !ok {
			continue
		}
		c := place.City{Name: f[1], Country: country, Region: -1, Section: f[8] == "PPLX" || f[8] == "PPLH"}
		if i, ok := a.region[f[3]+"."+f[4]]; ok {
			c.Region = i
		}
		c.Population, _ = strconv.Atoi(f[5])
		c.Population = max(c.Population, seats[f[8]])
		c.Lat, _ = strconv.ParseFloat(f[6], 64)
		c.Lon, _ = strconv.ParseFloat(f[7], 64)
		key := f[3] + "|" + strings.ToLower(bare(c.Name))
		if old, ok := a.byName[key]; !ok || a.Cities[old].Population < c.Population {
			a.byName[key] = len(a.Cities)
		}
		a.Cities = append(a.Cities, c)
		to := place.ToCity | place.Target(len(a.Cities)-1)
		if f[2] != "" && f[2] != f[1] {
			a.Aliases = append(a.Aliases, place.Alias{Text: f[2], To: to})
		}
		if joined := strings.ReplaceAll(c.Name, " ", ""); joined != c.Name && c.Population >= knownJoined {
			a.Aliases = append(a.Aliases, place.Alias{Text: joined, To: to}) // as in a hashtag
		}
	}
	return nil
}

// target finds "" (the country), "@region" or "city".
func (a *atlas) target(cc, name string) (place.Target, bool) {
	if name == "" {
		i, ok := a.country[cc]
		return place.ToCountry | place.Target(i), ok
	}
	i, ok := a.byName[cc+"|"+strings.ToLower(bare(name))]
	if strings.HasPrefix(name, "@") {
		return place.ToRegion | place.Target(i), ok
	}
	return place.ToCity | place.Target(i), ok
}

func (a *atlas) readAliases(string) error {
	text, err := gazetteer.ReadFile("gazetteer/aliases.txt")
	if err != nil {
		return err
	}
	a.own = len(a.Aliases)
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		to, ok := a.target(f[0], f[1])
		if !ok {
			fmt.Fprintf(os.Stderr, "no place is called %s %s\n", f[0], f[1])
			continue
		}
		for name := range strings.SplitSeq(f[2], ";") {
			letters := strings.ReplaceAll(name, " ", "")
			a.Aliases = append(a.Aliases, place.Alias{Text: name, To: to, Code: len(letters) <= 2 || strings.ToUpper(name) == name && strings.ToLower(name) != name})
		}
	}
	return nil
}

func (a *atlas) readNowhere(string) error {
	text, err := gazetteer.ReadFile("gazetteer/nowhere.txt")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for name := range strings.SplitSeq(strings.TrimSpace(line), ";") {
			a.Aliases = append(a.Aliases, place.Alias{Text: name, To: place.Nowhere, Whole: true})
		}
	}
	return nil
}

// chosen are the spellings that were written for this gazetteer.
func (a *atlas) chosen() map[string]bool {
	out := map[string]bool{}
	for _, alias := range a.Aliases[a.own:] {
		if !alias.Whole && !alias.Code {
			out[alias.Text] = true
		}
	}
	return out
}

const commonWords = 2500 // of each language

// readCommon takes the words that a town may not be called without support.
func (a *atlas) readCommon(dir string) error {
	chosen := a.chosen()
	for _, code := range []string{"en", "es", "pt", "fr", "it"} {
		lines, err := readLines(filepath.Dir(dir), "langid", "words", code+".txt.gz")
		if err != nil {
			return err
		}
		for _, l := range lines[:commonWords] {
			if word, _, _ := strings.Cut(l, " "); !chosen[bare(word)] {
				a.Common = append(a.Common, word)
			}
		}
	}
	return nil
}

// carmenAlias is one line of the aliases that people were seen to write.
type carmenAlias struct{ text, country, region, city string }

func readCarmenAliases(data string) ([]carmenAlias, error) {
	lines, err := readLines(data, "places", "carmen_alias.tsv.gz")
	var out []carmenAlias
	for _, l := range lines {
		if f := strings.Split(l, "\t"); len(f) == 4 {
			out = append(out, carmenAlias{f[0], f[1], f[2], f[3]})
		}
	}
	return out, err
}

func (a *atlas) readCarmen(data string) error {
	aliases, err := readCarmenAliases(data)
	if err != nil {
		return err
	}
	cities := map[string]int{}
	for i, c := range a.Cities {
		if c.Region >= 0 {
			key := strings.ToLower(bare(a.Countries[c.Country].Code + "|" + a.Regions[c.Region].Name + "|" + c.Name))
			if old, ok := cities[key]; !ok || a.Cities[old].Population < c.Population {
				cities[key] = i
			}
		}
	}
	g, err := place.New(a.Source)
	if err != nil {
		return err
	}
	l, chosen := place.NewLocator(g, nil), a.chosen()
	for _, c := range aliases {
		if len(c.text) < 4 || chosen[c.text] {
			continue
		}
		var to place.Target
		var ok bool
		switch i, found := cities[strings.ToLower(bare(c.country+"|"+c.region+"|"+c.city))]; {
		case c.city != "" && found:
			to, ok = place.ToCity|place.Target(i), true
		case c.city != "":
			if to, ok = a.target(c.country, c.city); c.country == "US" {
				ok = false // the same name stands in many states
			}
		case c.region != "":
			to, ok = a.target(c.country, "@"+c.region)
		default:
			to, ok = a.target(c.country, "")
		}
		if ok && !a.knownBetter(l.Locate(&place.Clues{Profile: []byte(c.text)}), c) {
			a.Aliases = append(a.Aliases, place.Alias{Text: c.text, To: to, Whole: true})
		}
	}
	return nil
}

// knownBetter reports whether the gazetteer itself reads an alias as another
// place, at least as large: some spellings were taken down under small towns
// that share their name with a city, and some under a region instead of its
// city of the same name.
func (a *atlas) knownBetter(p place.Place, c carmenAlias) bool {
	if !p.Known() {
		return false
	}
	if p.Country == c.country {
		return c.city == "" && sameName(p.City, c.text)
	}
	if p.City == "" || c.city == "" {
		return c.city != ""
	}
	size := func(country, city string) int {
		if i, ok := a.byName[country+"|"+strings.ToLower(bare(city))]; ok {
			return a.Cities[i].Population
		}
		return 0
	}
	return size(p.Country, p.City) >= size(c.country, c.city)
}

func trainPlace(j job) error {
	a, err := readAtlas(j.data, !j.check)
	if err != nil {
		return err
	}
	if j.check {
		return checkPlace(j, a)
	}
	file, err := a.Encode()
	if err != nil {
		return err
	}
	fmt.Printf("place: %d cities, %d aliases, %d bytes\n", len(a.Cities), len(a.Aliases), len(file))
	return os.WriteFile(filepath.Join(j.out, "place", "place.model"), file, 0o644)
}
