package enrichcmd

import (
	"fmt"
	"os"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/rule"
)

// readRules reads a file of topics, one "name: rule" a line; lines that begin
// with # are comments. An empty path gives no rules.
func readRules(path string) (*rule.Set, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	var rules []rule.Named
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		name, body, ok := strings.Cut(line, ": ")
		if !ok {
			name, body = line, line
		}
		r, err := rule.Parse(body)
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", path, n, err)
		}
		rules = append(rules, rule.Named{ID: name, Rule: r})
	}
	return rule.Compile(rules, enrich.NewTokenizer())
}
