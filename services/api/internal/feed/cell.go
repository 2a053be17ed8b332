package feed

import "strconv"

// cell is one value. Its kind is its column's, whatever the value: an engine
// that guesses types from the first answer guesses right for ever.
type cell struct {
	kind kind
	text string
	n    int64 // number: value × 10^places; truth: 0 or 1
}

type kind uint8

const (
	empty   kind = iota // padding: "" in every format
	text                // a string
	whole               // a whole number
	truth               // true or false
	places3             // a number with 3 decimals
	places5             // a number with 5 decimals
)

func textCell(s string) cell         { return cell{kind: text, text: s} }
func wholeCell(n int64) cell         { return cell{kind: whole, n: n} }
func fixedCell(k kind, n int64) cell { return cell{kind: k, n: n} }

func flagCell(b bool) cell {
	if b {
		return cell{kind: truth, n: 1}
	}
	return cell{kind: truth}
}

// appendBare appends the value as text, without quotes or escapes.
func (c cell) appendBare(b []byte) []byte {
	switch c.kind {
	case whole:
		return strconv.AppendInt(b, c.n, 10)
	case truth:
		return strconv.AppendBool(b, c.n != 0)
	case places3:
		return appendFixed(b, c.n, 3)
	case places5:
		return appendFixed(b, c.n, 5)
	}
	return append(b, c.text...)
}

// isText says whether JSON writes it as a string.
func (c cell) isText() bool { return c.kind == text || c.kind == empty }

// appendFixed writes n / 10^places with all its decimals.
func appendFixed(b []byte, n int64, places int) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	scale := int64(1)
	for range places {
		scale *= 10
	}
	b = append(strconv.AppendInt(b, n/scale, 10), '.')
	for rest := n % scale; scale > 1; rest %= scale {
		scale /= 10
		b = append(b, byte('0'+rest/scale))
	}
	return b
}
