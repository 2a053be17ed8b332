package config

import (
	"fmt"
	"log/slog"
)

// Secret is a value that no print, log or dump shows. Reveal is the only way to
// its text.
type Secret string

const mask = "***"

// Reveal is the text itself.
func (s Secret) Reveal() string { return string(s) }

// String masks a secret that is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString masks %#v too.
func (s Secret) GoString() string { return fmt.Sprintf("config.Secret(%q)", s.String()) }

// LogValue masks structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
