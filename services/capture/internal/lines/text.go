package lines

import "encoding/json"

// appendText writes a JSON string.
func appendText(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // strings have a form, always
		return append(dst, `""`...)
	}
	return append(dst, text...)
}
