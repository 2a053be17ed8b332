package main

import (
	"embed"
	"strings"
)

//go:embed chat/*.txt
var chat embed.FS

// chatShare: one word in so many of a made-up post is of the chat list.
const chatShare = 10

// chatWords are how people write on a telephone in a language, none for most.
func chatWords(code string) (words []string) {
	text, err := chat.ReadFile("chat/" + code + ".txt")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			words = append(words, strings.Fields(line)...)
		}
	}
	return words
}
