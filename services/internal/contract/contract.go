// Package contract holds the HTTP contract of all services, written out as
// OpenAPI 3.1. It is served, and tests hold every answer and every route to it.
package contract

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var document []byte

// YAML is the document as written. Callers must not change it.
func YAML() []byte { return document }

// JSON is the document as it is served.
func JSON() ([]byte, error) {
	j, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, fmt.Errorf("turn the contract into JSON: %w", err)
	}
	return j, nil
}
