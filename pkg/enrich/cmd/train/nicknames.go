package main

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

//go:embed nicknames/nicknames.txt
var nicknames string

const (
	nicknamed    = 3_000 // people of one sex whom a nickname stands for
	speaksItself = 3_000 // people of a name that needs no such help
)

// addNicknames tells the sex of names that nobody is registered by, or a few of
// the other sex: "Jen". Only the table learns them: no figure counts their people.
func addNicknames(regs map[uint64]*register) {
	codes, s := names.Codes(), scan.New()
	for line := range strings.Lines(nicknames) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if strings.HasPrefix(line, "#") || len(f) != 3 {
			continue
		}
		country := slices.Index(codes[:], f[1])
		for name := range strings.FieldsSeq(f[2]) {
			_, h, ok := s.WordHash(name)
			if !ok || country < 0 {
				continue
			}
			if regs[h] == nil {
				regs[h] = &register{}
			}
			regs[h].nickname(country, f[0] == "F")
		}
	}
}

func (g *register) nickname(country int, woman bool) {
	switch {
	case g.women[country]+g.men[country] >= speaksItself:
	case woman:
		g.women[country] += nicknamed
	default:
		g.men[country] += nicknamed
	}
}
