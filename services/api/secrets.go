package api

import (
	"maps"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
)

// seal encrypts the secret settings of a source before they go anywhere. Those
// that are left out, or masked as they were shown, stay what they were; an empty
// one takes the secret away. What was wrong with them is said before: nobody can
// see it afterwards.
func (s *Service) seal(src *audience.Source, was map[string]any) error {
	table, ok := control.ConnectorOf(src.Connector)
	if !ok {
		return nil // it is refused with everything else that is wrong
	}
	src.Settings = maps.Clone(src.Settings)
	var plain []string
	var wrong []fault.Field
	for _, name := range table.Secrets() {
		given, there := src.Settings[name]
		text, isText := given.(string)
		switch {
		case !there || text == audience.Masked:
			if text == audience.Masked && was[name] == nil {
				wrong = append(wrong, fault.Field{Pointer: "/settings/" + name, Detail: "is a mask, and there is no secret behind it"})
			}
			delete(src.Settings, name)
			if was[name] != nil {
				if src.Settings == nil {
					src.Settings = map[string]any{}
				}
				src.Settings[name] = was[name]
			}
		case given == nil || isText && text == "":
			delete(src.Settings, name)
		case strings.HasPrefix(text, audience.SealMark):
			wrong = append(wrong, fault.Field{Pointer: "/settings/" + name, Detail: "is sealed already: send the secret"})
		default:
			plain = append(plain, name)
		}
	}
	if len(wrong) > 0 {
		return fault.Invalid(wrong...)
	}
	if err := control.ValidateSource(src); err != nil {
		return err
	}
	if len(plain) > 0 && s.deps.Secrets == nil {
		return fault.New(fault.Unavailable, "there is no key that secrets could be sealed with")
	}
	for _, name := range plain {
		text, _ := src.Settings[name].(string) // ValidateSource has judged it
		src.Settings[name] = s.deps.Secrets.Seal(src.ID, name, text)
	}
	return nil
}

// masked are settings as they are shown.
func masked(connector string, settings map[string]any) map[string]any {
	table, _ := control.ConnectorOf(connector)
	shown := maps.Clone(settings) // the definition is everybody's
	for _, name := range table.Secrets() {
		if shown[name] != nil {
			shown[name] = audience.Masked
		}
	}
	return shown
}
