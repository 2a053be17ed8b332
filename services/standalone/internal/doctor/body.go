package doctor

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
)

// body examines what a format says.
func (e *examiner) body(f format, text []byte) {
	find := func(rule, detail string, args ...any) { e.report.find(f, rule, detail, args...) }
	switch f.kind {
	case "json":
		if rows, err := readRows(text); err != nil {
			find("flat rows", "%v", err)
		} else {
			checkRows(find, rows)
		}
	case "wide":
		if o, err := readObject(json.NewDecoder(bytes.NewReader(text))); err != nil {
			find("wide object", "%v", err)
		} else {
			checkValues(find, o)
		}
	case "nested":
		checkNested(find, text)
	case "map":
		checkMap(find, text)
	case "xml":
		checkXML(find, text)
	case "template":
		checkRoot(find, text, "templateData", "componentData")
	case "csv":
		checkTable(find, text, ',')
	case "tsv":
		checkTable(find, text, '\t')
	case "txt":
		checkText(find, text)
	case "atom":
		checkRoot(find, text, "feed", "entry")
	case "rss":
		checkRoot(find, text, "rss", "item")
	}
}

type finder func(rule, detail string, args ...any)

// member is a key with its value, in the order of the document.
type member struct {
	key   string
	value any
}

type object []member

func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

func (o object) keys() string {
	names := make([]string, len(o))
	for i, m := range o {
		names[i] = m.key
	}
	return strings.Join(names, ",")
}

func readRows(text []byte) ([]object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("the top level is not an array")
	}
	var rows []object
	for d.More() {
		row, err := readObject(d)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// readObject reads one flat object.
func readObject(d *json.Decoder) (object, error) {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is not an object")
	}
	var o object
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, nested := value.(json.Delim); nested {
			return nil, fmt.Errorf("%s is nested", key)
		}
		o = append(o, member{fmt.Sprint(key), value})
	}
	_, err := d.Token()
	return o, err
}

func checkRows(find finder, rows []object) {
	if len(rows) == 0 {
		find("never empty", "there is no row")
		return
	}
	for i, row := range rows {
		if row.keys() != rows[0].keys() {
			find("same columns", "row %d has other columns than row 1", i+1)
		}
		for k, m := range row {
			if k < len(rows[0]) && kindOf(m.value) != kindOf(rows[0][k].value) {
				find("types never change", "%s is %s in row 1 and %s in row %d", m.key, kindOf(rows[0][k].value), kindOf(m.value), i+1)
			}
		}
		checkValues(find, row)
		checkFigures(find, row)
	}
	checkTies(find, rows)
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	}
	return "null"
}

// checkValues holds for any flat object: no null, plain text.
func checkValues(find finder, o object) {
	for _, m := range o {
		if m.value == nil {
			find("never null", "%s is null", m.key)
		}
		s, ok := m.value.(string)
		if ok && strings.ContainsFunc(s, unicode.IsControl) {
			find("plain text", "%s holds a control character", m.key)
		}
		if ok && strings.HasSuffix(m.key, "label_short") && uniseg.GraphemeClusterCount(s) > 12 {
			find("short labels", "%s %q is longer than 12", m.key, s)
		}
	}
}

func checkFigures(find finder, row object) {
	within := func(key string, most float64) {
		if n, ok := row.get(key).(float64); ok && (n < 0 || n > most) {
			find("figures", "%s is %v", key, n)
		}
	}
	within("pct", 100)
	within("pct_int", 100)
	within("fraction", 1)
	within("bar", 1)
	if at, ok := row.get("as_of").(string); ok {
		if _, err := time.Parse(time.RFC3339, at); err != nil || !strings.HasSuffix(at, "Z") {
			find("times", "as_of %q is no RFC 3339 time in UTC", at)
		}
	}
	if judged, ok := row.get("judged").(float64); ok && judged > 0 {
		sum := 0.0
		for _, mood := range []string{"positive_pct", "neutral_pct", "negative_pct"} {
			share, _ := row.get(mood).(float64)
			sum += share
		}
		if sum < 99.9 || sum > 100.1 {
			find("figures", "the moods are %v%% together", sum)
		}
	}
	within("weight", 1)
	votes, has := row.get("votes").(float64)
	if batch, ok := row.get("votes_batch").(float64); ok && has {
		if speed, ok := row.get("votes_speed").(float64); ok && batch+speed != votes {
			find("figures", "votes %v is not votes_batch %v + votes_speed %v", votes, batch, speed)
		}
	}
}

// checkTies: equal figures have equal percentages and, where rows are ranked by
// them, ranks.
func checkTies(find finder, rows []object) {
	figure := ""
	for _, key := range []string{"votes", "count"} { // of options, and of a topic's parts
		if rows[0].get(key) != nil {
			figure = key
			break
		}
	}
	if figure == "" {
		return // posts have none
	}
	type shown struct{ pct, rank any }
	seen := map[any]shown{}
	for _, row := range rows {
		if _, scored := row.get("mean").(float64); scored && row.get("mean") != 0.0 {
			return // score polls rank by mean
		}
		s := shown{row.get("pct_int"), row.get("rank")}
		if before, ok := seen[row.get(figure)]; ok && before != s {
			find("ties", "two rows with %v %s show %v and %v", row.get(figure), figure, before, s)
		}
		seen[row.get(figure)] = s
	}
}

func checkXML(find finder, text []byte) {
	checkRoot(find, text, "feed", "row")
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		t, err := d.Token()
		if err != nil {
			return
		}
		if el, ok := t.(xml.StartElement); ok && len(el.Attr) > 0 {
			find("elements, not attributes", "<%s> has attributes", el.Name.Local)
		}
	}
}

// checkRoot holds a document to its root and to at least one of the elements
// that stand for an option.
func checkRoot(find finder, text []byte, root, item string) {
	d := xml.NewDecoder(bytes.NewReader(text))
	first, items := "", 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			find("well-formed", "%v", err)
			return
		}
		if el, ok := t.(xml.StartElement); ok {
			if first == "" {
				first = el.Name.Local
			}
			if el.Name.Local == item {
				items++
			}
		}
	}
	if first != root || items == 0 {
		find("structure", "want <%s> with at least one <%s>; it is <%s> with %d", root, item, first, items)
	}
}

func checkTable(find finder, text []byte, comma rune) {
	if comma == ',' && bytes.Count(text, []byte("\n")) != bytes.Count(text, []byte("\r\n")) {
		find("RFC 4180", "a line does not end in CRLF")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = comma
	r.LazyQuotes = comma == '\t'
	rows, err := r.ReadAll() // says it when a row has more or fewer fields
	if err != nil {
		find("table", "%v", err)
		return
	}
	if len(rows) < 2 {
		find("never empty", "there is no row below the header")
	}
}

func checkText(find finder, text []byte) {
	const datagram = 1500
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		key, value, ok := strings.Cut(line, "|")
		switch {
		case !ok || key == "":
			find("key|value", "the line %.40q is none", line)
		case len(value) >= datagram:
			find("size", "the value of %s has %d bytes; the limit of a datagram is %d", key, len(value), datagram)
		}
	}
}
