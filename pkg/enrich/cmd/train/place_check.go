package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/place"
)

// checkPlace reads the aliases that people were seen to write with a gazetteer
// that was built without them, and strings of this package's own that are
// places of Spain and the Americas or none at all.
func checkPlace(j job, a *atlas) error {
	g, err := place.New(a.Source)
	if err != nil {
		return err
	}
	aliases, err := readCarmenAliases(j.data)
	if err != nil {
		return err
	}
	l := place.NewLocator(g, nil)
	var told, right, city, cityRight, abroad, abroadTold, abroadRight int
	for _, c := range aliases {
		p := l.Locate(&place.Clues{Profile: []byte(c.text)})
		if p.Known() {
			told++
		}
		if p.Country == c.country {
			right++
		} else if os.Getenv("SHOW") == "country" {
			fmt.Printf("%q want %s got %s %s %s %.2f\n", c.text, c.country, p.Country, p.Admin1, p.City, p.Confidence)
		}
		if c.country != "US" {
			abroad++
			if p.Known() {
				abroadTold++
			}
			if p.Country == c.country {
				abroadRight++
			}
		}
		if c.city != "" {
			city++
			if sameName(p.City, c.city) {
				cityRight++
			} else if os.Getenv("SHOW") == "city" {
				fmt.Printf("%q want %s %s %s got %s %s %s\n", c.text, c.country, c.region, c.city, p.Country, p.Admin1, p.City)
			}
		}
	}
	fmt.Printf("aliases %d: country precision %.1f recall %.1f; outside US (%d) precision %.1f recall %.1f; city %.1f of %d\n", len(aliases),
		rate(right, told), rate(right, len(aliases)), abroad, rate(abroadRight, abroadTold), rate(abroadRight, abroad), rate(cityRight, city), city)
	return checkOwn(l)
}

func rate(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

func sameName(a, b string) bool {
	a, b = strings.ToLower(bare(a)), strings.ToLower(bare(b))
	return a == b || strings.TrimSuffix(a, " city") == strings.TrimSuffix(b, " city")
}

// checkOwn scores the strings in gazetteer/check.txt.
func checkOwn(l *place.Locator) error {
	text, err := gazetteer.ReadFile("gazetteer/check.txt")
	if err != nil {
		return err
	}
	var n, told, right, none, refused, city, cityRight int
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "|")
		if len(f) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		p := l.Locate(&place.Clues{Profile: []byte(f[2])})
		bad := p.Country != f[0] || f[1] != "" && !sameName(p.City, f[1])
		if bad {
			fmt.Printf("  %q want %s %s got %s %s %s %.2f\n", f[2], f[0], f[1], p.Country, p.Admin1, p.City, p.Confidence)
		}
		if f[0] == "" {
			none++
			if !p.Known() {
				refused++
			}
			continue
		}
		n++
		if p.Known() {
			told++
		}
		if p.Country == f[0] {
			right++
		}
		if f[1] != "" {
			city++
			if sameName(p.City, f[1]) {
				cityRight++
			}
		}
	}
	fmt.Printf("own: country precision %.1f recall %.1f of %d; city %.1f of %d; refused %.1f of %d\n",
		rate(right, told), rate(right, n), n, rate(cityRight, city), city, rate(refused, none), none)
	return nil
}
