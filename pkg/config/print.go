package config

import (
	"flag"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// text is the value as YAML writes it on one line, secrets masked.
func (s *setting) text() string {
	switch {
	case s.secret:
		return s.value.Interface().(Secret).String()
	case s.value.Type() == durationType:
		return s.value.Interface().(time.Duration).String()
	}
	switch s.value.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct, reflect.Pointer:
		b, err := yaml.MarshalWithOptions(s.value.Interface(), yaml.Flow(true))
		if err != nil {
			return fmt.Sprint(s.value.Interface())
		}
		return strings.TrimSpace(string(b))
	default:
		return fmt.Sprint(s.value.Interface())
	}
}

func (s settings) texts() map[string]string {
	all := make(map[string]string, len(s))
	for _, set := range s {
		all[set.key] = set.text()
		if set.secret { // a changed secret shows as changed
			all[set.key] = set.value.String()
		}
	}
	return all
}

// print writes, as YAML, what differs from the defaults.
func (s settings) print(w io.Writer, defaults map[string]string) error {
	tree := yaml.MapSlice{}
	now := s.texts()
	for _, set := range s {
		if now[set.key] != defaults[set.key] {
			tree = put(tree, strings.Split(set.key, "."), set.printed())
		}
	}
	if len(tree) == 0 {
		_, err := fmt.Fprintln(w, "# every setting has its default")
		return err
	}
	b, err := yaml.Marshal(tree)
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	_, err = w.Write(b)
	return err
}

func (s *setting) printed() any {
	if s.secret || s.value.Type() == durationType {
		return s.text()
	}
	return s.value.Interface()
}

func put(tree yaml.MapSlice, path []string, v any) yaml.MapSlice {
	if len(path) == 1 {
		return append(tree, yaml.MapItem{Key: path[0], Value: v})
	}
	for i, item := range tree {
		if sub, ok := item.Value.(yaml.MapSlice); ok && item.Key == path[0] {
			tree[i].Value = put(sub, path[1:], v)
			return tree
		}
	}
	return append(tree, yaml.MapItem{Key: path[0], Value: put(nil, path[1:], v)})
}

// pending are the values that flags gave, applied after file and environment.
type pending struct{ sets []func() error }

func (p *pending) apply() error {
	for _, set := range p.sets {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

func flags(s settings, o Options) (fs *flag.FlagSet, given *pending, file *string, show *bool) {
	fs = flag.NewFlagSet(o.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	given = &pending{}
	file = fs.String("config", "", "YAML `file` with settings")
	show = fs.Bool("print-config", false, "print the settings that differ from the defaults, and end")
	aliases := map[string]string{}
	for name, key := range o.Short {
		aliases[key] = name
	}
	for _, set := range s {
		name := set.flag()
		doc := set.doc
		if short, ok := aliases[set.key]; ok {
			given.register(fs, short, doc, set)
			doc = "" // once is enough
		}
		if fs.Lookup(name) == nil {
			given.register(fs, name, doc, set)
		}
	}
	if o.Extra != nil {
		o.Extra(fs)
	}
	fs.Usage = func() {} // for who asks, not for who mistyped: a fault would scroll away
	return fs, given, file, show
}

func (p *pending) register(fs *flag.FlagSet, name, doc string, s *setting) {
	set := func(text string) error {
		p.sets = append(p.sets, func() error {
			if err := s.fromText(text); err != nil {
				return fmt.Errorf("--%s: %w", name, err)
			}
			return nil
		})
		return nil
	}
	if s.value.Kind() == reflect.Bool {
		fs.BoolFunc(name, doc, set)
		return
	}
	fs.Func(name, doc, set)
}

func usage(fs *flag.FlagSet, s settings, o Options) {
	if o.Out == nil {
		return
	}
	fmt.Fprintf(o.Out, "%s\n\nFlags:\n", strings.TrimSpace(o.About))
	values := map[string]string{}
	for _, set := range s {
		values[set.flag()] = set.text()
	}
	for alias, key := range o.Short {
		if set, ok := s.find(key); ok {
			values[alias] = set.text()
		}
	}
	var all []*flag.Flag
	fs.VisitAll(func(f *flag.Flag) { all = append(all, f) })
	sort.SliceStable(all, func(i, j int) bool { return documented(all[i]) && !documented(all[j]) })
	for _, f := range all {
		line := "  --" + f.Name
		if v := values[f.Name]; v != "" {
			line += " " + v
		}
		if f.Usage != "" {
			line += "\n        " + strings.ReplaceAll(f.Usage, "`", "")
		}
		fmt.Fprintln(o.Out, line)
	}
	fmt.Fprintf(o.Out, "\nEvery setting can also stand in the YAML file (kafka.brokers) and the environment (%sKAFKA_BROKERS).\n", EnvPrefix)
}

func documented(f *flag.Flag) bool { return f.Usage != "" }
