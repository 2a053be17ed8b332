package form

import "bytes"

// quick reads the plain shape; false means "I do not know", never "wrong".
func (f *Form) quick(body []byte, door Door) bool {
	r := reader{b: body}
	if !r.take('{') {
		return false
	}
	var seen field
	for {
		name, ok := r.text()
		if !ok || !r.take(':') {
			return false
		}
		this := fieldOf(name, door)
		if this == 0 || seen&this != 0 || !f.value(&r, this) {
			return false
		}
		seen |= this
		if r.take(',') {
			continue
		}
		break
	}
	return r.take('}') && r.end() && f.complete(door)
}

func (f *Form) complete(door Door) bool {
	if f.BallotID == nil {
		return false
	}
	return door == Voter || (len(f.VoterRef) > 0 && len(f.VoterRef) <= MaxRef)
}

type field uint8

const (
	fieldID field = 1 << iota
	fieldRef
	fieldSent
	fieldChoices
	fieldScores
)

func fieldOf(name []byte, door Door) field {
	switch string(name) { // compiled without allocating
	case "ballot_id":
		return fieldID
	case "choices":
		return fieldChoices
	case "scores":
		return fieldScores
	}
	if door == Gateway {
		switch string(name) {
		case "voter_ref":
			return fieldRef
		case "sent_at":
			return fieldSent
		}
	}
	return 0
}

func (f *Form) value(r *reader, this field) (ok bool) {
	switch this {
	case fieldID:
		f.BallotID, ok = r.text()
	case fieldRef:
		f.VoterRef, ok = r.text()
	case fieldSent:
		var at []byte
		at, ok = r.text()
		ok = ok && isInstant(at)
	case fieldChoices:
		ok = f.choices(r)
	case fieldScores:
		ok = f.scores(r)
	}
	return ok
}

func (f *Form) choices(r *reader) bool {
	if !r.take('[') {
		return false
	}
	if r.take(']') {
		return true
	}
	for {
		option, ok := r.text()
		if !ok {
			return false
		}
		f.Choices = append(f.Choices, option)
		if !r.take(',') {
			return r.take(']')
		}
	}
}

// maxQuickScores keeps the search for a repeated name short.
const maxQuickScores = 32

func (f *Form) scores(r *reader) bool {
	if !r.take('{') {
		return false
	}
	if r.take('}') {
		return true
	}
	for {
		option, ok := r.text()
		if !ok || !r.take(':') || f.scored(option) || len(f.Scores) == maxQuickScores {
			return false
		}
		value, ok := r.integer()
		if !ok {
			return false
		}
		f.Scores = append(f.Scores, Score{option, value})
		if !r.take(',') {
			return r.take('}')
		}
	}
}

func (f *Form) scored(option []byte) bool {
	for i := range f.Scores {
		if bytes.Equal(f.Scores[i].Option, option) {
			return true
		}
	}
	return false
}

// reader walks over plain JSON.
type reader struct {
	b []byte
	i int
}

func (r *reader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\n', '\r', '\t':
			r.i++
		default:
			return
		}
	}
}

// take passes over c, if it comes next.
func (r *reader) take(c byte) bool {
	r.space()
	if r.i < len(r.b) && r.b[r.i] == c {
		r.i++
		return true
	}
	return false
}

func (r *reader) end() bool {
	r.space()
	return r.i == len(r.b)
}

// text is a string of printable ASCII without escapes; it is never nil.
func (r *reader) text() ([]byte, bool) {
	if !r.take('"') {
		return nil, false
	}
	from := r.i
	for r.i < len(r.b) {
		switch c := r.b[r.i]; {
		case c == '"':
			r.i++
			return r.b[from : r.i-1 : r.i-1], true
		case c < 0x20 || c >= 0x7f || c == '\\':
			return nil, false
		}
		r.i++
	}
	return nil, false
}

// integer is a whole number of at most 15 digits, without point or exponent.
func (r *reader) integer() (int64, bool) {
	r.space()
	negative := r.i < len(r.b) && r.b[r.i] == '-'
	if negative {
		r.i++
	}
	from := r.i
	var n int64
	for r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9' {
		if r.i-from == 15 {
			return 0, false
		}
		n = n*10 + int64(r.b[r.i]-'0')
		r.i++
	}
	digits := r.i - from
	if digits == 0 || (digits > 1 && r.b[from] == '0') {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}
