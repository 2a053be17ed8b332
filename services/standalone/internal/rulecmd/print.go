package rulecmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/clamor-live/clamor/pkg/rule"
	"github.com/clamor-live/clamor/services/internal/explain"
)

// printed writes an answer for people: the verdict, and the rule as a tree.
func printed(w io.Writer, line string, a *explain.Answer) error {
	var b strings.Builder
	verdict := "no match"
	if a.Matches {
		verdict = "match"
	}
	fmt.Fprintf(&b, "%s  %s\n", verdict, strings.TrimSpace(line))
	fmt.Fprintf(&b, "  language %s", a.Language)
	if a.Country != "" {
		fmt.Fprintf(&b, ", country %s", a.Country)
	}
	if a.Filter != rule.Kept {
		fmt.Fprintf(&b, ", kept out by the filter %s", a.Filter)
	}
	b.WriteString("\n")
	tree(&b, a.Tree, 1)
	_, err := io.WriteString(w, b.String())
	return err
}

func tree(b *strings.Builder, v *rule.Verdict, depth int) {
	sign := "✗"
	if v.Holds {
		sign = "✓"
	}
	fmt.Fprintf(b, "%s%s ", strings.Repeat("  ", depth), sign)
	if v.Op != "term" {
		fmt.Fprintf(b, "%s\n", strings.ToUpper(v.Op))
		for _, p := range v.Parts {
			tree(b, p, depth+1)
		}
		return
	}
	fmt.Fprintf(b, "%s %s", v.Field, v.Text)
	if len(v.At) > 0 {
		fmt.Fprintf(b, "  at word %d", v.At[0]+1)
	}
	b.WriteString("\n")
}
