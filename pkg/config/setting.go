package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
)

// setting is one leaf of a configuration.
type setting struct {
	key    string // kafka.ack_deadline
	doc    string
	secret bool
	value  reflect.Value
}

type settings []*setting

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[Secret]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func settingsOf(into any) (settings, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("configuration: want a pointer to a struct, not %T", into)
	}
	var all settings
	collect(&all, "", v.Elem())
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.env()] {
			return nil, fmt.Errorf("configuration: two fields are named %s", s.key)
		}
		seen[s.env()] = true
	}
	return all, nil
}

func collect(all *settings, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := nameOf(field)
		if name == "-" || (!field.IsExported() && !field.Anonymous) || !settable(field.Type) {
			continue
		}
		if isSection(field.Type) {
			under := prefix
			if name != "" {
				under += name + "."
			}
			collect(all, under, v.Field(i))
			continue
		}
		*all = append(*all, &setting{
			key: prefix + name, doc: field.Tag.Get("doc"), value: v.Field(i), secret: field.Type == secretType,
		})
	}
}

// nameOf is the field's key: by its config tag, its yaml tag or its Go name; ""
// for an embedded struct, whose fields stand in the section around it.
func nameOf(field reflect.StructField) string {
	for _, tag := range []string{"config", "yaml"} {
		if name, _, _ := strings.Cut(field.Tag.Get(tag), ","); name != "" {
			return name
		}
	}
	if field.Anonymous {
		return ""
	}
	return snake(field.Name)
}

// settable leaves out what no text can give: clocks, loggers, connections.
func settable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.Interface, reflect.UnsafePointer:
		return false
	case reflect.Pointer:
		return t.Implements(textType)
	default:
		return true
	}
}

func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textType)
}

// snake turns AckDeadline into ack_deadline and RedisURL into redis_url.
func snake(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (s *setting) env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

func (s *setting) flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.key)
}

func (s settings) find(key string) (*setting, bool) {
	for _, set := range s {
		if set.key == key {
			return set, true
		}
	}
	return nil, false
}

func (s settings) byEnv(name string) (*setting, bool) {
	for _, set := range s {
		if set.env() == name {
			return set, true
		}
	}
	return nil, false
}

func (s settings) hasUnder(section string) bool {
	for _, set := range s {
		if strings.HasPrefix(set.key, section+".") {
			return true
		}
	}
	return false
}

// meant names the known key with the same last word, if there is one.
func (s settings) meant(key string) string {
	last := key[strings.LastIndexByte(key, '.')+1:]
	for _, set := range s {
		if set.key[strings.LastIndexByte(set.key, '.')+1:] == last {
			return fmt.Sprintf(" (did you mean %s?)", set.key)
		}
	}
	return ""
}

// fromText sets the value from the environment or a flag.
func (s *setting) fromText(text string) error {
	if u, ok := s.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	if s.value.Type() == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration such as 250ms, 2s or 1h", text)
		}
		s.value.SetInt(int64(d))
		return nil
	}
	return s.fromKind(text)
}

func (s *setting) fromKind(text string) error {
	v, t := s.value, s.value.Type()
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, t.Bits())
		if err != nil {
			return fmt.Errorf("%q is no whole number that fits", text)
		}
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, t.Bits())
		if err != nil {
			return fmt.Errorf("%q is no whole number from 0 up that fits", text)
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, t.Bits())
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		v.SetFloat(f)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return s.fromList(text)
		}
		return s.fromFlow(text)
	default:
		return s.fromFlow(text)
	}
	return nil
}

func (s *setting) fromList(text string) error {
	list := reflect.MakeSlice(s.value.Type(), 0, 4)
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = reflect.Append(list, reflect.ValueOf(item).Convert(s.value.Type().Elem()))
		}
	}
	s.value.Set(list)
	return nil
}

// fromFlow reads what is neither a scalar nor a list of strings as YAML.
func (s *setting) fromFlow(text string) error {
	fresh := reflect.New(s.value.Type())
	if err := yaml.UnmarshalWithOptions([]byte(text), fresh.Interface(), yaml.Strict()); err != nil {
		return fmt.Errorf("read YAML: %w", err)
	}
	s.value.Set(fresh.Elem())
	return nil
}

// fromValue sets the value from the YAML file.
func (s *setting) fromValue(v any) error {
	err := s.fromAny(v)
	if err != nil {
		return fmt.Errorf("%s: %w", s.key, err)
	}
	return nil
}

func (s *setting) fromAny(v any) error {
	switch v := v.(type) {
	case nil:
		s.value.SetZero()
		return nil
	case string:
		return s.fromText(v)
	case bool, int, int64, uint64, float64:
		if s.value.Kind() == reflect.String && s.value.Type() != secretType {
			return fmt.Errorf("want text, not %v (quote it)", v)
		}
		return s.fromText(fmt.Sprint(v))
	case []any:
		return s.fromItems(v)
	}
	text, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	return s.fromFlow(string(text))
}

func (s *setting) fromItems(items []any) error {
	text, err := yaml.Marshal(items)
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	if s.value.Kind() != reflect.Slice {
		return fmt.Errorf("want one value, not a list")
	}
	return s.fromFlow(string(text))
}
