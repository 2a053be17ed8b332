package place

// coordinates finds two decimal numbers that read as latitude and longitude, as
// telephones and authors write them: "ÜT: -23.550,-46.633", "40.4168° N, 3.7038° W".
func coordinates(text []byte) (lat, lon float64, ok bool) {
	first, at, ok := decimal(text, 0)
	if !ok {
		return 0, 0, false
	}
	lat, at = hemisphere(text, at, first, 'N', 'S')
	for at < len(text) && (text[at] == ',' || text[at] == ' ' || text[at] == ';' || text[at] == '/') {
		at++
	}
	if at == len(text) || text[at] != '-' && text[at] != '+' && !isDigit(text[at]) {
		return 0, 0, false
	}
	second, end, ok := decimal(text[:min(len(text), at+maxDecimal)], at)
	if !ok {
		return 0, 0, false
	}
	lon, _ = hemisphere(text, end, second, 'E', 'W')
	return lat, lon, lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 && (lat != 0 || lon != 0)
}

const (
	maxDecimal  = 24 // bytes of a number
	fewestPlace = 2  // digits behind the point: fewer may be a time or a score
)

// decimal returns the next number with a point and enough digits behind it.
func decimal(text []byte, from int) (v float64, end int, ok bool) {
	for i := from; i < len(text); i++ {
		if !isDigit(text[i]) {
			continue
		}
		negative := i > 0 && text[i-1] == '-'
		whole, places, scale := 0.0, 0, 1.0
		for ; i < len(text) && isDigit(text[i]); i++ {
			whole = whole*10 + float64(text[i]-'0')
		}
		if i < len(text) && text[i] == '.' {
			for i++; i < len(text) && isDigit(text[i]); i++ {
				whole, scale = whole*10+float64(text[i]-'0'), scale*10
				places++
			}
		}
		if places >= fewestPlace {
			if negative {
				whole = -whole
			}
			return whole / scale, i, true
		}
	}
	return 0, 0, false
}

// hemisphere applies a letter after a number, such as "° S".
func hemisphere(text []byte, at int, v float64, positive, negative byte) (float64, int) {
	i := at
	for i < len(text) && (text[i] == ' ' || text[i] == 0xC2 || text[i] == 0xB0 || text[i] == 0xBA) { // "°" and "º" in UTF-8
		i++
	}
	if i == len(text) || i+1 < len(text) && isLetter(text[i+1]) {
		return v, at
	}
	switch text[i] &^ 0x20 {
	case positive:
		return v, i + 1
	case negative:
		return -v, i + 1
	}
	return v, max(at, i)
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
