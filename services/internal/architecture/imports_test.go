package architecture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/clamor-live/clamor/"

// pkgInfo is what go list says of a package; Tests are what only its tests import.
type pkgInfo struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Standard     bool
}

func listPackages(t *testing.T) []pkgInfo {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "work")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkgInfo
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkgInfo
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// door says which packages may import a library. Tests of any package may, if
// tests is set; packages named …test are for tests only.
type door struct {
	library string
	owners  []string
	tests   bool
}

var doors = []door{
	{library: "github.com/IBM/sarama", owners: []string{"pkg/eventlog"}},
	{library: "github.com/redis/go-redis", owners: []string{"pkg/speed"}, tests: true},
	{library: "go.mongodb.org/mongo-driver", owners: []string{"pkg/views"}},
	{library: "github.com/elastic/", owners: []string{"pkg/search"}},
	{library: "github.com/gin-gonic/gin", owners: []string{"services/api", "services/capture", "services/internal/web", "services/e2e/bench"}},
	{library: "github.com/twmb/franz-go", owners: []string{"pkg/embedded"}, tests: true},
	{library: "github.com/alicebob/miniredis", owners: []string{"pkg/embedded"}, tests: true},
	{library: "github.com/apache/beam", owners: []string{"services/batch"}},
}

func TestEveryLibraryHasOneDoor(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name == "pkg" || name == "services" { // the anchors of go.mod
			continue
		}
		for _, d := range doors {
			imports := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
			if d.tests {
				imports = p.Imports
			}
			if d.tests && strings.HasSuffix(name, "test") {
				continue
			}
			if importsUnder(imports, d.library) && !within(name, d.owners) {
				t.Errorf("%s imports %s, which is for %s", name, d.library, strings.Join(d.owners, ", "))
			}
		}
	}
}

// pure packages import the standard library and one another only.
var pure = []string{"pkg/audience", "pkg/tally", "pkg/rule", "pkg/fault"}

// adapters never import one another: what they share is the domain.
var adapters = []string{"pkg/eventlog", "pkg/speed", "pkg/archive", "pkg/views", "pkg/search"}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if why := forbidden(name, imported); why != "" {
				t.Errorf("%s imports %s: %s", name, strings.TrimPrefix(imported, module), why)
			}
		}
	}
}

func forbidden(name, imported string) string {
	target, ours := strings.CutPrefix(imported, module)
	switch {
	case !ours && within(name, pure) && strings.Contains(firstElement(imported), "."):
		return "it stands on the standard library alone"
	case !ours:
		return ""
	case within(name, pure) && !within(target, pure):
		return "it imports its own kind only"
	case within(name, []string{"proto"}):
		return "the wire depends on nothing of ours"
	case strings.HasPrefix(name, "pkg/") && strings.HasPrefix(target, "services/"):
		return "packages do not know services"
	case owner(name, adapters) != "" && owner(target, adapters) != "" && owner(name, adapters) != owner(target, adapters):
		return "adapters never import one another"
	case crossesServices(name, target):
		return "services do not import one another"
	}
	return ""
}

// crossesServices: only the all-in-one, the scenarios and what is shared by name
// (services/internal) reach over the fence.
func crossesServices(name, target string) bool {
	from, to := service(name), service(target)
	return from != "" && to != "" && from != to && from != "standalone" && from != "e2e" && to != "internal" &&
		(name != "services/api/cmd/api" || to != "console") // the API's program serves the console's pages
}

func service(name string) string {
	rest, ok := strings.CutPrefix(name, "services/")
	if !ok {
		return ""
	}
	s, _, _ := strings.Cut(rest, "/")
	return s
}

func firstElement(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

func importsUnder(imports []string, prefix string) bool {
	return slices.ContainsFunc(imports, func(i string) bool { return strings.HasPrefix(i, prefix) })
}

func within(name string, folders []string) bool { return owner(name, folders) != "" }

func owner(name string, folders []string) string {
	for _, f := range folders {
		if name == f || strings.HasPrefix(name, f+"/") {
			return f
		}
	}
	return ""
}

func TestForbidden(t *testing.T) {
	cases := []struct {
		from, to string
		bad      bool
	}{
		{"pkg/tally", "fmt", false},
		{"pkg/tally", "github.com/x/y", true},
		{"pkg/tally", module + "pkg/audience", false},
		{"pkg/tally", module + "pkg/eventlog", true},
		{"pkg/speed", module + "pkg/tally", false},
		{"pkg/speed", module + "pkg/eventlog", true},
		{"pkg/views/viewstest", module + "pkg/views", false},
		{"pkg/control", module + "services/api", true},
		{"services/api", module + "services/capture", true},
		{"services/api", module + "services/internal/web", false},
		{"services/standalone", module + "services/api", false},
		{"services/api/cmd/api", module + "services/api", false},
		{"services/api/cmd/api", module + "services/console", false},
		{"services/api", module + "services/console", true},
	}
	for _, c := range cases {
		if got := forbidden(c.from, c.to) != ""; got != c.bad {
			t.Errorf("%s → %s: %v", c.from, c.to, got)
		}
	}
}
