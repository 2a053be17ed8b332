package near

import (
	"fmt"
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
