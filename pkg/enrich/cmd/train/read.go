package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// readLines returns the lines of a file, gzipped or not.
func readLines(parts ...string) ([]string, error) {
	path := filepath.Join(parts...)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var lines []string
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<22)
	for sc.Scan() {
		if sc.Text() != "" {
			lines = append(lines, sc.Text())
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lines, nil
}

// labelled is one line of a "label<TAB>text" file.
type labelled struct{ label, text string }

func readLabelled(parts ...string) ([]labelled, error) {
	lines, err := readLines(parts...)
	if err != nil {
		return nil, err
	}
	out := make([]labelled, 0, len(lines))
	for _, line := range lines {
		if label, text, ok := strings.Cut(line, "\t"); ok {
			out = append(out, labelled{label, text})
		}
	}
	return out, nil
}
