package modelfile

import (
	"bytes"
	"errors"
	"testing"
)

func TestDamagedFilesAreRefused(t *testing.T) {
	file, err := Encode("TEST", 3, bytes.Repeat([]byte("weights "), 100))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) []byte {
		b := bytes.Clone(file)
		b[i] ^= 0x40
		return b
	}
	tests := []struct {
		name string
		file []byte
		kind string
		want error
	}{
		{"whole", file, "TEST", nil},
		{"empty", nil, "TEST", ErrTruncated},
		{"cut in the head", file[:10], "TEST", ErrTruncated},
		{"cut in the body", file[:len(file)-3], "TEST", ErrTruncated},
		{"longer", append(bytes.Clone(file), 0), "TEST", ErrTruncated},
		{"other magic", flip(0), "TEST", ErrNotModel},
		{"other kind", file, "LANG", ErrKind},
		{"other version", flip(8), "TEST", ErrVersion},
		{"damaged", flip(len(file) - 2), "TEST", ErrChecksum},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Decode(tt.file, tt.kind, 3); !errors.Is(err, tt.want) {
				t.Errorf("have %v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	file, _ := Encode("TEST", 1, []byte("abc"))
	f.Add(file)
	f.Fuzz(func(t *testing.T, b []byte) {
		body, err := Decode(b, "TEST", 1)
		if err != nil {
			return
		}
		r := NewReader(body)
		for range 8 {
			r.Uint()
			r.Bytes()
			r.Float()
			r.Fixed(3)
		}
		_ = r.Err()
	})
}
