package doctor

import (
	"encoding/json"
	"slices"
)

// checkNested examines an object with the list of its options, or rows.
func checkNested(find finder, text []byte) {
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		find("nested object", "%v", err)
		return
	}
	if path, ok := nullIn(whole); ok {
		find("never null", "%s is null", path)
	}
	rows, _ := whole["options"].([]any)
	if rows == nil {
		rows, _ = whole["rows"].([]any)
	}
	if len(rows) == 0 {
		find("never empty", "it has neither options nor rows")
	}
}

// nullIn finds a null.
func nullIn(v any) (path string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case map[string]any:
		for key, in := range v {
			if rest, ok := nullIn(in); ok {
				return join(key, rest), true
			}
		}
	case []any:
		for _, in := range v {
			if rest, ok := nullIn(in); ok {
				return join("[]", rest), true
			}
		}
	}
	return "", false
}

func join(key, rest string) string {
	if rest == "" {
		return key
	}
	return key + "." + rest
}

// checkMap examines GeoJSON (RFC 7946): points, longitude first, each once.
func checkMap(find finder, text []byte) {
	var m struct {
		Type     string
		Features []struct {
			Type     string
			ID       any
			Geometry struct {
				Type        string
				Coordinates []float64
			}
			Properties map[string]any
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		find("GeoJSON", "%v", err)
		return
	}
	if m.Type != "FeatureCollection" || m.Features == nil {
		find("GeoJSON", "it is no FeatureCollection")
	}
	var ids []any
	for _, f := range m.Features {
		at := f.Geometry.Coordinates
		switch {
		case f.Type != "Feature" || f.Geometry.Type != "Point" || len(at) != 2:
			find("GeoJSON", "%v is no Feature with a Point", f.ID)
		case at[0] < -180 || at[0] > 180 || at[1] < -90 || at[1] > 90:
			find("coordinates", "%v lies at %v; longitude is first", f.ID, at)
		}
		if path, null := nullIn(f.Properties); null {
			find("never null", "%s of %v is null", path, f.ID)
		}
		if slices.Contains(ids, f.ID) {
			find("each once", "%v is there twice", f.ID)
		}
		ids = append(ids, f.ID)
	}
}
