package near

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const long = "o participante saiu da casa ontem à noite depois de perder a prova do líder e chorou muito ao lado de todos os amigos que fez durante o programa deste ano na televisão"

func seen(f *Filter, s *scan.Scanner, text string) bool {
	s.Scan([]byte(text))
	p, ok := Fingerprint(s)
	return ok && f.Seen(p)
}

func TestSeen(t *testing.T) {
	f, s := NewFilter(), scan.New()
	if seen(f, s, long) {
		t.Error("the first post was seen before")
	}
	for name, text := range map[string]string{
		"same": long, "other link": long + " https://t.co/abc", "other mention": "@ana " + long, "capitals and marks": "O PARTICIPANTE saiu da casa ontem à noite, depois de perder a prova do líder e chorou muito ao lado de todos os amigos que fez durante o programa deste ano na televisão!!!",
	} {
		if !seen(f, s, text) {
			t.Errorf("%s: not seen", name)
		}
	}
	if seen(f, s, "a chuva de hoje alagou as ruas do centro e parou os ônibus por mais de três horas") {
		t.Error("another text was taken for the same")
	}
	for range 2 {
		if seen(f, s, "bom dia") {
			t.Error("short posts are never duplicates")
		}
	}
}

func TestFalseAlarms(t *testing.T) {
	f, s, alarms := NewFilter(), scan.New(), 0
	for i := range 20_000 {
		text := fmt.Sprintf("w%d x%d y%d z%d v%d u%d a%d b%d", i*7, i*13, i*29, i*31, i*37, i*41, i*43, i*47)
		if seen(f, s, text) {
			alarms++
		}
	}
	if alarms > 20 {
		t.Errorf("%d of 20,000 different posts were taken for duplicates", alarms)
	}
}

func BenchmarkSeen(b *testing.B) {
	f, s := NewFilter(), scan.New()
	s.Scan([]byte(long))
	b.ReportAllocs()
	for b.Loop() {
		p, _ := Fingerprint(s)
		f.Seen(p)
	}
}

// plain is the fingerprint as it is defined, bit by bit.
func plain(s *scan.Scanner) uint64 {
	var sums [64]int
	last := uint64(0)
	vote := func(h uint64) {
		h *= 0x9E3779B97F4A7C15
		h ^= h >> 29
		for b := range sums {
			sums[b] += int(h>>b&1)*2 - 1
		}
	}
	for _, t := range s.Tokens {
		if t.Kind == scan.Word || t.Kind == scan.Number {
			vote(scan.Mix(1, t.Folded))
			if last != 0 {
				vote(scan.Mix(last, t.Folded))
			}
			last = t.Folded
		}
	}
	var f uint64
	for b, n := range sums {
		if n > 0 {
			f |= 1 << b
		}
	}
	return f
}

func TestFingerprintIsTheMajority(t *testing.T) {
	s := scan.New()
	for _, text := range []string{long, long[:80], "a b c d e f", strings.Repeat("gol do brasil ", 2000), strings.Repeat("x ", 16_000)} {
		s.Scan([]byte(text))
		if got, ok := Fingerprint(s); !ok || got != plain(s) {
			t.Errorf("%.20q: %x, want %x", text, got, plain(s))
		}
	}
}

// A filter to which the remembered prints are given again goes on as the first.
func TestAgain(t *testing.T) {
	f := NewFilter()
	hash := func(i int) uint64 {
		h := uint64(i/3+1) * 0x9E3779B97F4A7C15
		return h ^ h>>31 ^ 1<<(i%3)
	}
	for i := range Window + 5000 {
		f.Seen(hash(i))
	}
	again, n := NewFilter(), 0
	f.All(func(p uint64) {
		again.Seen(p)
		n++
	})
	if n != Window-1 && n != Window {
		t.Errorf("%d prints are remembered", n)
	}
	for i := range 2000 {
		p := hash(Window + 5000 - i*13)
		if a, b := f.Seen(p), again.Seen(p); a != b {
			t.Fatalf("print %d: seen %v and %v", i, a, b)
		}
	}
	f.renumber()
	for i := range 2000 {
		p := hash(i * 17)
		if a, b := f.Seen(p), again.Seen(p); a != b {
			t.Fatalf("renumbered, print %d: seen %v and %v", i, a, b)
		}
	}
}
