package feed

import (
	"time"
	"unicode/utf8"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func appendXML(b []byte, t table) []byte {
	b = append(append(b, xmlHead...), "<feed>"...)
	for _, row := range t.rows {
		b = append(b, "<row>"...)
		for i, c := range row {
			b = appendElement(b, t.header[i], c)
		}
		b = append(b, "</row>"...)
	}
	return append(b, "</feed>"...)
}

func appendElement(b []byte, name string, c cell) []byte {
	b = append(append(append(b, '<'), name...), '>')
	if c.isText() {
		b = appendEscaped(b, c.text)
	} else {
		b = c.appendBare(b)
	}
	return append(append(append(b, "</"...), name...), '>')
}

// appendEscaped writes text for an element or an attribute. Line ends are
// escaped, or readers would turn CRLF into LF.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch r {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&quot;"...)
		case '\n':
			b = append(b, "&#10;"...)
		case '\r':
			b = append(b, "&#13;"...)
		case '\t':
			b = append(b, "&#9;"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// urn names what a sheet is about.
func (a *about) urn() string { return "urn:clamor:" + a.kind + ":" + a.id }

// appendAtom writes one entry, whose content is the CSV.
func appendAtom(b []byte, s *sheet, opts Options) []byte {
	updated := s.about.asOf
	if updated == "" {
		updated = "1970-01-01T00:00:00.000Z" // Atom must have one
	}
	b = append(append(b, xmlHead...), `<feed xmlns="http://www.w3.org/2005/Atom">`...)
	b = appendAtomHead(b, s.about.title, s.about.urn(), updated)
	b = append(b, "<author><name>Clamor</name></author><entry>"...)
	b = appendAtomHead(b, s.about.title, "urn:clamor:instance:"+s.about.instance, updated)
	b = append(b, `<content type="text">`...)
	b = appendEscaped(b, string(appendSeparated(nil, s.table(opts.Wide), ',')))
	return append(b, "</content></entry></feed>"...)
}

func appendAtomHead(b []byte, title, id, updated string) []byte {
	b = appendElement(b, "title", textCell(title))
	b = appendElement(b, "id", textCell(id))
	return appendElement(b, "updated", textCell(updated))
}

// appendRSS writes one item a row, with its columns as elements of a
// namespace of their own.
func appendRSS(b []byte, s *sheet) []byte {
	b = append(append(b, xmlHead...), `<rss version="2.0" xmlns:clamor="urn:clamor:feed"><channel>`...)
	b = appendElement(b, "title", textCell(s.about.title))
	b = appendElement(b, "link", textCell(s.about.urn()))
	b = appendElement(b, "description", textCell(s.about.title))
	if at, err := time.Parse(time.RFC3339, s.about.asOf); err == nil {
		b = appendElement(b, "lastBuildDate", textCell(at.Format(time.RFC1123Z)))
	}
	t := s.table(false)
	for i, o := range s.options {
		b = append(b, "<item>"...)
		b = appendElement(b, "title", textCell(s.about.itemTitle(o.cells)))
		b = appendElement(b, "description", textCell(s.about.itemText(o.cells)))
		b = append(b, `<guid isPermaLink="false">`...)
		b = appendEscaped(b, s.about.instance+"/"+s.about.itemID(o.cells))
		b = append(b, "</guid>"...)
		for j, name := range t.header {
			b = appendElement(b, "clamor:"+name, t.rows[i][j])
		}
		b = append(b, "</item>"...)
	}
	return append(b, "</channel></rss>"...)
}
