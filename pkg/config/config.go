// Package config fills plain structs from defaults, a YAML file, the
// environment and flags, each over the one before.
//
// Its one trick: a struct describes itself. The field Kafka.Brokers is the YAML
// key kafka.brokers, the variable CLAMOR_KAFKA_BROKERS and the flag
// --kafka-brokers; so no service declares its settings twice, and an unknown key
// is an error wherever it stands. A `config:"name"` tag renames a field,
// `config:"-"` hides it, and a `doc:"…"` tag is its help text. Durations are
// written as 250ms, 2s or 1h; lists as a,b,c.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// ErrPrinted says that --print-config or --help was asked for and answered: the
// program should end well.
var ErrPrinted = errors.New("printed")

// Validator is a configuration that knows its own faults.
type Validator interface{ Validate() error }

// Options say where the values come from.
type Options struct {
	// Name of the program, for its help text.
	Name string
	// About is the help text above the flags.
	About string
	// Args are the command line without the program's name.
	Args []string
	// Environ is the environment as os.Environ gives it.
	Environ []string
	// Short adds flags under other names: short["data"] = "embedded.data_dir".
	Short map[string]string
	// Extra registers flags that are not settings, such as --demo.
	Extra func(*flag.FlagSet)
	// Others are prefixes of variables that begin like settings and are none.
	Others []string
	// Out gets the help text and the printed configuration.
	Out io.Writer
	// ReadFile reads the YAML file; nil means os.ReadFile.
	ReadFile func(string) ([]byte, error)
}

// EnvPrefix begins every variable.
const EnvPrefix = "CLAMOR_"

// Load fills into, a pointer to a struct that holds the defaults, and validates
// it if it is a Validator. It returns the arguments behind the flags.
func Load(into any, o Options) (rest []string, err error) {
	settings, err := settingsOf(into)
	if err != nil {
		return nil, err
	}
	defaults := settings.texts()
	fs, given, file, show := flags(settings, o)
	if err := fs.Parse(o.Args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(fs, settings, o)
			return nil, ErrPrinted
		}
		return nil, fmt.Errorf("%w (see --help)", err)
	}
	if err := errors.Join(
		fromFile(settings, fileName(*file, o.Environ), o.ReadFile),
		fromEnvironment(settings, o.Environ, o.Others),
		given.apply(),
	); err != nil {
		return nil, err
	}
	if v, ok := into.(Validator); ok {
		if err := v.Validate(); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
	}
	if *show && fs.NArg() == 0 {
		return nil, errors.Join(ErrPrinted, settings.print(o.Out, defaults))
	}
	return fs.Args(), nil
}

// LoadYAML fills into from YAML text only, as the test of every shipped
// configuration does.
func LoadYAML(into any, text []byte) error {
	settings, err := settingsOf(into)
	if err != nil {
		return err
	}
	if err := settings.fromYAML(text); err != nil {
		return err
	}
	if v, ok := into.(Validator); ok {
		return v.Validate()
	}
	return nil
}

func fileName(flagged string, environ []string) string {
	if flagged != "" {
		return flagged
	}
	for _, kv := range environ {
		if name, ok := strings.CutPrefix(kv, EnvPrefix+"CONFIG="); ok {
			return name
		}
	}
	return ""
}

func fromFile(s settings, name string, readFile func(string) ([]byte, error)) error {
	if name == "" {
		return nil
	}
	if readFile == nil {
		readFile = os.ReadFile
	}
	text, err := readFile(name)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := s.fromYAML(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s settings) fromYAML(text []byte) error {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("read YAML: %w", err)
	}
	return s.fromTree("", tree)
}

func (s settings) fromTree(prefix string, tree map[string]any) error {
	var errs []error
	for name, v := range tree {
		key := prefix + name
		sub, isTree := v.(map[string]any)
		switch set, known := s.find(key); {
		case known:
			errs = append(errs, set.fromValue(v))
		case isTree && s.hasUnder(key):
			errs = append(errs, s.fromTree(key+".", sub))
		case v == nil && s.hasUnder(key): // an empty section
		default:
			errs = append(errs, fmt.Errorf("unknown key %s%s", key, s.meant(key)))
		}
	}
	return errors.Join(errs...)
}

func fromEnvironment(s settings, environ, others []string) error {
	var errs []error
	for _, kv := range environ {
		name, text, ok := strings.Cut(kv, "=")
		if !ok || !strings.HasPrefix(name, EnvPrefix) || name == EnvPrefix+"CONFIG" || isServiceLink(name) {
			continue
		}
		set, known := s.byEnv(name)
		if !known && slices.ContainsFunc(others, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		if !known {
			errs = append(errs, fmt.Errorf("unknown environment variable %s", name))
			continue
		}
		if err := set.fromText(text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// isServiceLink recognises what Kubernetes puts into every pod's environment
// for a service named clamor-something; those are not settings.
func isServiceLink(name string) bool {
	return strings.HasSuffix(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT") ||
		strings.HasSuffix(name, "_PORT") && strings.Count(name, "_") >= 2 || strings.Contains(name, "_PORT_")
}
