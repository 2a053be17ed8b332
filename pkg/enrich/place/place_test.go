package place

import (
	"net/netip"
	"testing"
)

func locator(t testing.TB) *Locator {
	g, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	a, err := DefaultAddresses()
	if err != nil {
		t.Fatal(err)
	}
	return NewLocator(g, a)
}

func TestProfile(t *testing.T) {
	l := locator(t)
	for text, want := range map[string][2]string{
		"São Paulo, Brasil":        {"BR", "São Paulo"},
		"sao paulo - sp":           {"BR", "São Paulo"},
		"Vivo en Madrid":           {"ES", "Madrid"},
		"CDMX":                     {"MX", "Mexico City"},
		"🇦🇷":                       {"AR", ""},
		"Paris, TX":                {"US", "Paris"},
		"Paris":                    {"FR", "Paris"},
		"London, Ontario":          {"CA", "London"},
		"St. Louis, Missouri":      {"US", "St. Louis"},
		"-23.5505, -46.6333":       {"BR", "São Paulo"},
		"ÜT: 40.4168,-3.7038":      {"ES", "Madrid"},
		"40.4168° N, 3.7038° W":    {"ES", "Madrid"},
		"v1.25, 2.50 gb":           {"", ""},
		"91.00, 10.00":             {"", ""},
		"Birmingham, AL":           {"US", "Birmingham"},
		"Zona Sul - RJ":            {"BR", ""},
		"zona leste sp":            {"BR", "São Paulo"},
		"Argentina en Barcelona":   {"ES", "Barcelona"},
		"riodejaneiro":             {"BR", "Rio de Janeiro"},
		"Aveiro":                   {"PT", "Aveiro"},
		"San Pedro de los Pitufos": {"", ""},
		"Granada":                  {"ES", "Granada"},
		"Springfield 🍩":            {"", ""},
		"El Dorado 🇦🇷":             {"AR", ""},
		"21 | bi":                  {"", ""},
		"404 not found":            {"", ""},
		"東京":                       {"JP", "Tokyo"},
		"en tu corazón":            {"", ""},
		"mi casa":                  {"", ""},
		"no mundo da lua":          {"", ""},
		"":                         {"", ""},
		"\xff\xfe":                 {"", ""},
	} {
		p := l.Locate(&Clues{Profile: []byte(text)})
		if p.Country != want[0] || p.City != want[1] {
			t.Errorf("%q: have %s %q, want %v", text, p.Country, p.City, want)
		}
		if p.Known() != (p.Confidence > 0) || p.Confidence > 1 {
			t.Errorf("%q: confidence %v", text, p.Confidence)
		}
	}
}

func TestEvidenceInOrder(t *testing.T) {
	l := locator(t)
	c := Clues{HasPoint: true, Lat: -23.55, Lon: -46.63, Profile: []byte("Madrid"), Country: []byte("PE"), Addr: netip.MustParseAddr("200.147.3.157")}
	steps := []struct {
		evidence Evidence
		country  string
		drop     func()
	}{
		{GPS, "BR", func() { c.HasPoint = false }},
		{Object, "PE", func() { c.Country = nil }},
		{Profile, "ES", func() { c.Profile = nil }},
		{IP, "BR", func() { c.Addr = netip.MustParseAddr("10.0.0.1") }},
		{None, "", func() {}},
	}
	for _, s := range steps {
		if p := l.Locate(&c); p.Evidence != s.evidence || p.Country != s.country {
			t.Errorf("have %s from %s, want %s from %s", p.Country, p.Evidence, s.country, s.evidence)
		}
		s.drop()
	}
}

func TestNearest(t *testing.T) {
	l := locator(t)
	tests := []struct {
		lat, lon      float64
		country, city string
	}{
		{40.4165, -3.70256, "ES", "Madrid"},
		{-34.61315, -58.37723, "AR", "Buenos Aires"},
		{-17.8, 179.99, "FJ", ""}, // across the date line
		{0, -30, "", ""},          // the open sea
		{91, 0, "", ""},
	}
	for _, tt := range tests {
		p := l.Locate(&Clues{HasPoint: true, Lat: tt.lat, Lon: tt.lon})
		if p.Country != tt.country || tt.city != "" && p.City != tt.city {
			t.Errorf("%v,%v: have %s %s, want %s %s", tt.lat, tt.lon, p.Country, p.City, tt.country, tt.city)
		}
	}
}

func small() Source {
	return Source{
		Countries: []Country{{Code: "AA", Name: "Aland"}, {Code: "BB", Name: "Bland"}},
		Regions:   []Region{{Country: 0, Code: "NO", Name: "Norte"}},
		Cities:    []City{{Name: "Kora", Region: 0, Country: 0, Population: 2_000_000, Lat: 10, Lon: 10}, {Name: "Kora", Region: -1, Country: 1, Population: 30_000, Lat: -10, Lon: 10}},
		Aliases:   []Alias{{Text: "the k", To: ToCity}, {Text: "moon", To: Nowhere, Whole: true}},
		Common:    []string{"moon"},
	}
}

func TestEncodeAndLoad(t *testing.T) {
	src := small()
	file, err := src.Encode()
	if err != nil {
		t.Fatal(err)
	}
	g, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLocator(g, nil)
	for text, want := range map[string]string{"kora": "AA", "Kora, Bland": "BB", "the K": "AA", "moon": ""} {
		if p := l.Locate(&Clues{Profile: []byte(text)}); p.Country != want {
			t.Errorf("%q: have %q, want %q", text, p.Country, want)
		}
	}
	for cut := 0; cut < len(file); cut += 5 {
		if _, err := Load(file[:cut]); err == nil {
			t.Fatalf("a file cut at %d was read", cut)
		}
	}
	src.Cities[0].Country = 7
	if _, err := New(src); err == nil {
		t.Error("a city of no country was taken")
	}
}

func TestNoAllocations(t *testing.T) {
	l := locator(t)
	texts := [][]byte{[]byte("São Paulo, Brasil"), []byte("somewhere"), []byte("Lima - Perú")}
	i := 0
	run := func() {
		clear(l.memo)
		l.Locate(&Clues{Profile: texts[i%3]})
		l.Locate(&Clues{HasPoint: true, Lat: 40 + float64(i%7), Lon: -3})
		i++
	}
	for range 10 {
		run()
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzLocate(f *testing.F) {
	f.Add([]byte("São Paulo/SP"), 1.0, 2.0)
	f.Add([]byte("a.b.c, , ,"), 90.0, 180.0)
	f.Add([]byte("40.4168° N, 3.7038° W"), 0.0, 0.0)
	f.Add([]byte("-1.00 -1.00"), 0.0, 0.0)
	g, err := New(small())
	if err != nil {
		f.Fatal(err)
	}
	l := NewLocator(g, nil)
	f.Fuzz(func(t *testing.T, text []byte, lat, lon float64) {
		for _, c := range []Clues{{Profile: text}, {Full: text, Country: text}, {HasPoint: true, Lat: lat, Lon: lon}} {
			if p := l.Locate(&c); p.Known() && p.Country == "" {
				t.Fatalf("known, but nowhere: %+v", p)
			}
		}
	})
}

func BenchmarkProfile(b *testing.B) {
	l := locator(b)
	text := []byte("Belo Horizonte - MG")
	for b.Loop() {
		clear(l.memo[:1])
		l.scanner.Scan(text)
		l.reader.read(l.g, l.scanner)
	}
}

func BenchmarkNearest(b *testing.B) {
	l := locator(b)
	for i := 0; b.Loop(); i++ {
		l.g.grid.nearest(float64(i%120)-50, float64(i%350)-170)
	}
}
