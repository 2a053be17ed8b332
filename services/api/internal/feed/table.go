package feed

import "regexp"

// table is a sheet in one of its shapes: a row an option with the poll's cells
// repeated, or one wide row.
type table struct {
	header []string
	rows   [][]cell
}

// room is a buffer that most bodies fit into.
func (t *table) room() []byte { return make([]byte, 0, 24*len(t.header)*len(t.rows)+256) }

func (s *sheet) table(wide bool) table {
	if wide {
		return s.wide()
	}
	t := table{header: append(append([]string(nil), s.pollNames...), s.optionNames...)}
	for _, o := range s.options {
		row := make([]cell, 0, len(t.header))
		t.rows = append(t.rows, append(append(row, s.poll...), o.cells...))
	}
	return t
}

func (s *sheet) wide() table {
	n := len(s.poll) + s.slots*len(s.optionNames)
	header, row := append(make([]string, 0, n), s.pollNames...), append(make([]cell, 0, n), s.poll...)
	for slot := range s.slots {
		for _, column := range s.optionNames {
			header = append(header, s.wideNames(slot+1, column))
		}
		if slot < len(s.options) {
			row = append(row, s.options[slot].cells...)
			continue
		}
		row = append(row, make([]cell, len(s.optionNames))...)
	}
	return table{header: header, rows: [][]cell{row}}
}

var nameOfElement = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// alias renames columns as the destination wishes: by their own name, or in the
// wide shape by the whole wide name. A name that another column has is left.
func (s *sheet) alias(aliases map[string]string) {
	if len(aliases) == 0 {
		return
	}
	taken := map[string]bool{}
	for _, names := range [][]string{s.pollNames, s.optionNames} {
		for _, name := range names {
			taken[name] = true
		}
	}
	rename := func(name string) string {
		if to := aliases[name]; nameOfElement.MatchString(to) && !taken[to] {
			return to
		}
		return name
	}
	s.pollNames, s.optionNames = mapped(s.pollNames, rename), mapped(s.optionNames, rename)
	original := map[string]string{}
	for i, name := range s.optionNames {
		original[name] = s.about.columns[i]
	}
	wide := s.wideNames
	s.wideNames = func(slot int, column string) string {
		if name := wide(slot, original[column]); rename(name) != name {
			return rename(name)
		}
		return wide(slot, column)
	}
}

func mapped(names []string, f func(string) string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = f(name)
	}
	return out
}
