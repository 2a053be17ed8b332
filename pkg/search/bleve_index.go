package search

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/exception"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/util"
	"go.etcd.io/bbolt"

	// The languages' analyzers and what they are made of.
	_ "github.com/blevesearch/bleve/v2/analysis/lang/ar"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/da"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/de"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/en"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/es"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/fa"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/fi"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/fr"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/hi"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/hu"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/it"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/nl"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/no"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/pt"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/ro"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/ru"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/sv"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/tr"
)

// The fields of an index, the same in both engines.
const (
	fieldID         = "id" // in Bleve the document's own
	fieldShow       = "show"
	fieldTopics     = "topics"
	fieldLanguage   = "language"
	fieldSentiment  = "sentiment"
	fieldCountry    = "country"
	fieldReceived   = "received_at"
	fieldMinute     = "minute" // of received_at, for histograms; in Bleve only
	fieldGeneration = "generation"
	fieldFolded     = "folded"
	fieldPost       = "post"
	fieldRaw        = "raw"
)

// bleve is what Bleve indexes of an entry.
func (e *entry) bleve() map[string]any {
	d := e.doc
	m := map[string]any{
		fieldShow: d.Show, fieldTopics: d.Topics, fieldLanguage: d.Language, fieldSentiment: d.Sentiment, fieldCountry: d.Country,
		fieldReceived: float64(d.ReceivedAt), fieldMinute: strconv.FormatInt(int64(d.ReceivedAt)/time.Minute.Milliseconds(), 10),
		fieldGeneration: float64(d.Generation), fieldFolded: e.folded,
		fieldPost: string(e.body), fieldRaw: string(d.Raw),
	}
	if e.field != "" {
		m[e.field] = d.Text
	}
	return m
}

// bleveMapping is strict: what it does not name is not indexed.
func bleveMapping() (mapping.IndexMapping, error) {
	m := bleve.NewIndexMapping()
	m.StoreDynamic, m.IndexDynamic, m.DocValuesDynamic = false, false, false
	// A symbol, such as an emoji, is a word.
	err := errors.Join(
		m.AddCustomTokenizer("words", map[string]any{"type": exception.Name, "exceptions": []any{`\p{So}`}, "tokenizer": unicode.Name}),
		m.AddCustomAnalyzer(fieldFolded, map[string]any{"type": custom.Name, "tokenizer": "words"}),
	)
	post := bleve.NewDocumentStaticMapping()
	m.DefaultMapping = post
	post.AddSubDocumentMapping("_all", bleve.NewDocumentDisabledMapping()) // costs a tenth, and nobody asks it
	for _, name := range []string{fieldShow, fieldTopics, fieldLanguage, fieldSentiment, fieldCountry, fieldMinute} {
		f := bleve.NewKeywordFieldMapping()
		f.Store, f.IncludeInAll, f.IncludeTermVectors, f.DocValues = false, false, false, name == fieldMinute
		f.SkipFreqNorm = true
		post.AddFieldMappingsAt(name, f)
	}
	for _, name := range []string{fieldReceived, fieldGeneration} {
		f := bleve.NewNumericFieldMapping()
		f.Store, f.IncludeInAll, f.DocValues = false, false, name == fieldReceived
		post.AddFieldMappingsAt(name, f)
	}
	addText(post, fieldFolded, fieldFolded)
	for name, a := range languages {
		addText(post, textPrefix+name, a.bleve)
	}
	for _, name := range []string{fieldPost, fieldRaw} {
		f := bleve.NewTextFieldMapping()
		f.Index, f.IncludeInAll, f.IncludeTermVectors, f.DocValues = false, false, false, false
		post.AddFieldMappingsAt(name, f)
	}
	return m, err
}

func addText(post *mapping.DocumentMapping, name, analyzer string) {
	f := bleve.NewTextFieldMapping()
	f.Analyzer, f.Store, f.IncludeInAll, f.DocValues = analyzer, false, false, false
	post.AddFieldMappingsAt(name, f)
}

// bleveConfig keeps a second opener from waiting for ever.
func bleveConfig() map[string]any { return map[string]any{"bolt_timeout": "1s"} }

// makeShelf makes an empty index aside and moves it to path, so that there is
// never half of one.
func makeShelf(path string) (*shelf, error) {
	m, err := bleveMapping()
	if err != nil {
		return nil, err
	}
	aside := path + ".new"
	if err := os.RemoveAll(aside); err != nil {
		return nil, err
	}
	ix, err := bleve.NewUsing(aside, m, bleve.Config.DefaultIndexType, bleve.Config.DefaultKVStore, bleveConfig())
	if err != nil {
		return nil, err
	}
	if err := ix.Close(); err != nil {
		return nil, err
	}
	if err := os.Rename(aside, path); err != nil {
		return nil, err
	}
	ix, err = bleve.OpenUsing(path, bleveConfig())
	return &shelf{index: ix}, err
}

// openShelf opens an index; one whose files are not as they were written becomes
// a damaged shelf.
func openShelf(path string) (*shelf, error) {
	ix, err := openWhole(path)
	switch {
	case isSystem(err):
		return nil, err
	case err != nil:
		return &shelf{damaged: fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)}, nil
	}
	return &shelf{index: ix}, nil
}

// openWhole looks at every byte before Bleve does, which maps the files into
// memory, trusts them, and dies of a fault in a goroutine of its own. A fault
// here becomes an error.
func openWhole(path string) (ix bleve.Index, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be read: %v", r)
		}
	}()
	store := filepath.Join(path, "store")
	names, err := segments(filepath.Join(store, "root.bolt"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := checkSegment(filepath.Join(store, name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return bleve.OpenUsing(path, bleveConfig())
}

// segments are the files that the newest snapshot of an index is made of.
func segments(path string) (names []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return errors.New("it was cut short")
		}
		snapshots := tx.Bucket(util.BoltSnapshotsBucket)
		if snapshots == nil {
			return errors.New("it holds no snapshot")
		}
		newest, _ := snapshots.Cursor().Last()
		snapshot := snapshots.Bucket(newest)
		if snapshot == nil {
			return errors.New("it holds no snapshot")
		}
		return snapshot.ForEachBucket(func(k []byte) error {
			if name := snapshot.Bucket(k).Get(util.BoltPathKey); name != nil {
				names = append(names, filepath.Base(string(name)))
			}
			return nil
		})
	})
	return names, err
}

// checkSegment compares a segment with the CRC-32 in its last four bytes.
func checkSegment(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum, size := crc32.NewIEEE(), info.Size()-crc32.Size
	if size < 0 {
		return errors.New("cut short")
	}
	if _, err := io.CopyN(sum, f, size); err != nil {
		return err
	}
	var want [crc32.Size]byte
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
		return errors.New("its checksum is another")
	}
	return nil
}
