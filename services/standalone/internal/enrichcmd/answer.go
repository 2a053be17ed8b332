package enrichcmd

import (
	"strconv"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// answer is one line of output.
type answer struct {
	id     []byte
	result *enrich.Result
	female float64
	named  bool
	topics []string
}

func (a *answer) append(b []byte) []byte {
	r := a.result
	b = appendString(append(b, `{"id":`...), a.id)
	b = appendString(append(b, `,"language":`...), []byte(r.Language))
	b = appendNumber(append(b, `,"language_p":`...), float64(r.LanguageP))
	b = appendString(append(b, `,"sentiment":`...), []byte(r.Sentiment.String()))
	b = append(b, `,"sentiment_p":{"neg":`...)
	b = appendNumber(b, float64(r.SentimentP[sentiment.Negative]))
	b = appendNumber(append(b, `,"neu":`...), float64(r.SentimentP[sentiment.Neutral]))
	b = appendNumber(append(b, `,"pos":`...), float64(r.SentimentP[sentiment.Positive]))
	b = appendPlace(append(b, `},"place":`...), &r.Place)
	b = append(b, `,"gender_p":`...)
	if a.named {
		b = appendNumber(b, a.female)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"hashtags":[`...)
	for i, t := range r.Hashtags {
		b = appendString(comma(b, i), t.Text)
	}
	b = append(b, `],"topics":[`...)
	for i, t := range a.topics {
		b = appendString(comma(b, i), []byte(t))
	}
	return append(b, "]}\n"...)
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func appendPlace(b []byte, p *place.Place) []byte {
	if !p.Known() {
		return append(b, "null"...)
	}
	b = appendString(append(b, `{"country":`...), []byte(p.Country))
	b = appendString(append(b, `,"admin1":`...), []byte(p.Admin1))
	b = appendString(append(b, `,"city":`...), []byte(p.City))
	b = appendString(append(b, `,"evidence":`...), []byte(p.Evidence.String()))
	b = appendNumber(append(b, `,"confidence":`...), float64(p.Confidence))
	return append(b, '}')
}

func appendNumber(b []byte, v float64) []byte {
	return strconv.AppendFloat(b, float64(int(v*10000+0.5))/10000, 'f', -1, 64)
}

// appendString writes a JSON string. Bytes that are no UTF-8 become the
// replacement character: the output is valid whatever came in.
func appendString(b, s []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7F:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, n := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, "\ufffd"...)
			} else if r == 0x2028 || r == 0x2029 {
				b = append(b, `\u202`...)
				b = append(b, hex[r&15])
			} else {
				b = append(b, s[i:i+n]...)
			}
			i += n
			continue
		}
		i++
	}
	return append(b, '"')
}
