package contract_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/internal/contract"
	"github.com/clamor-live/clamor/services/internal/contract/contracttest"
)

func TestTheContractIsValid(t *testing.T) {
	if n := len(contracttest.New(t).Operations()); n < 50 {
		t.Fatalf("%d operations", n)
	}
}

func TestItIsServedAsJSON(t *testing.T) {
	body, err := contract.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" || document.Paths["/v1/polls/{poll}/ballots"] == nil {
		t.Fatalf("openapi %q, %d paths", document.OpenAPI, len(document.Paths))
	}
}

func TestCodesFitTheContract(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, code := range fault.Codes() {
		if !kebab.MatchString(string(code)) {
			t.Errorf("code %q", code)
		}
	}
}
