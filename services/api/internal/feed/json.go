package feed

import "unicode/utf8"

func appendArray(b []byte, t table) []byte {
	b = append(b, '[')
	for i, row := range t.rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendObject(b, t.header, row)
	}
	return append(b, ']')
}

func appendObject(b []byte, names []string, cells []cell) []byte {
	b = append(b, '{')
	b = appendMembers(b, names, cells)
	return append(b, '}')
}

func appendMembers(b []byte, names []string, cells []cell) []byte {
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, name), ':')
		b = appendValue(b, cells[i])
	}
	return b
}

func appendValue(b []byte, c cell) []byte {
	if c.isText() {
		return appendQuoted(b, c.text)
	}
	return c.appendBare(b)
}

// nested writes the nested form, such as poll.json.
func nested(s *sheet) []byte {
	b := []byte{'{'}
	b = appendMembers(b, s.pollNames, s.poll)
	b = append(append(append(b, `,"`...), s.about.rows...), `":[`...)
	for i, o := range s.options {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendObject(b, s.optionNames, o.cells)
	}
	return append(b, "]}"...)
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes a JSON string. < and & stay as they are: clients of some
// engines do not undo escapes that are not needed.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	if !mustEscape(s) {
		return append(append(b, s...), '"')
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ':
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		b = utf8.AppendRune(b, r) // U+FFFD for an invalid byte
		i += n
	}
	return append(b, '"')
}

func mustEscape(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
