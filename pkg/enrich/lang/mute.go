package lang

// mute reports whether a word is of no language by itself, however much it
// leans to one: laughter, a drawn-out letter, a hand on the keyboard, or a
// script that no language of the model is written in. A post of nothing else is
// undetermined; among other words such a word tells what it can.
func mute(word []rune) bool {
	if len(word) == 0 {
		return true
	}
	if unspoken(word[0]) {
		return true
	}
	if word[0] >= 0x250 || !latin(word) {
		return false
	}
	return oneLetter(word) || laughter(word) || smashed(word)
}

func latin(word []rune) bool {
	for _, r := range word {
		if r >= 0x250 {
			return false
		}
	}
	return true
}

// unspoken are the scripts of which no language is known.
func unspoken(r rune) bool {
	if r < 0x700 {
		return false
	}
	return r < 0x900 || r >= 0x0A00 && r < 0x0B80 || r >= 0x0C80 && r < 0x0D00 || r >= 0x0E80 && r < 0x10A0 ||
		r >= 0x1200 && r < 0x1C80 || r >= 0xA000 && r < 0xA960
}

func oneLetter(word []rune) bool {
	for _, r := range word {
		if r != word[0] {
			return false
		}
	}
	return true
}

// laughter is two letters over and over, such as "haha", "jajaj" or "rsrs", in
// whatever order haste leaves them.
func laughter(word []rune) bool {
	switch string(word) { // of two or three letters only these
	case "hah", "heh", "rs", "xd", "hue", "hua":
		return true
	}
	if len(word) < 4 {
		return false
	}
	for _, laugh := range [...]string{"ha", "he", "hi", "ho", "ja", "je", "ji", "jo", "rs", "sk", "hue", "hua", "kha", "jsa", "xd"} {
		if only(word, laugh) {
			return true
		}
	}
	return false
}

// only reports whether a word is made of certain letters, of each at least one.
func only(word []rune, letters string) bool {
	seen := 0
	for _, r := range word {
		at := -1
		for i, l := range letters {
			if r == l {
				at = i
			}
		}
		if at < 0 {
			return false
		}
		seen |= 1 << at
	}
	return seen == 1<<len(letters)-1
}

// smashed is a hand that fell on the middle row of the keyboard.
func smashed(word []rune) bool {
	run, longest := 0, 0
	for _, r := range word {
		switch r {
		case 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'ñ':
			run++
			longest = max(longest, run)
		case 'a':
			run = 0
		default:
			return false
		}
	}
	return len(word) >= 5 && longest >= 4
}
