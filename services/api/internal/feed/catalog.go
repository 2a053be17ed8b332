package feed

import "github.com/clamor-live/clamor/pkg/audience"

// Entry is one URL of a destination, with the schema of what it answers.
type Entry struct {
	Poll        string `json:"poll"`
	Format      string `json:"format"`
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
	// Schema is a JSON Schema (2020-12) of the body where that is JSON, else of
	// its columns as an object.
	Schema map[string]any `json:"schema"`
	// Example is the body for the poll with made-up figures.
	Example string `json:"example"`
}

// Catalog lists the feeds of a destination. base is its address up to and with
// the token, such as "https://host/feeds/TOKEN".
func Catalog(base string, show audience.Show, destination audience.Destination, polls []audience.Poll) []Entry {
	return nil
}
