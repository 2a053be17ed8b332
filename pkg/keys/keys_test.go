package keys

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func master(b byte) []byte { return bytes.Repeat([]byte{b}, MasterSize) }

func memory(t testing.TB) *blob.Bucket {
	t.Helper()
	b := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func open(t testing.TB, secret byte, bucket *blob.Bucket, options ...Option) *Ring {
	t.Helper()
	r, err := Open(master(secret), bucket, options...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVoterTokens(t *testing.T) {
	r := open(t, 1, memory(t))
	rapid.Check(t, func(t *rapid.T) {
		subject := rapid.StringN(1, 100, MaxSubject).Draw(t, "subject")
		token := r.VoterToken(subject, noon.Add(time.Hour))
		if got, err := r.VerifyVoter(token, noon); err != nil || got != subject {
			t.Fatalf("%q %v", got, err)
		}
		if _, err := r.VerifyVoter(token, noon.Add(time.Hour)); !errors.Is(err, ErrTokenExpired) {
			t.Fatalf("expired: %v", err)
		}
		forged := []byte(token)
		at := rapid.IntRange(0, len(forged)-1).Draw(t, "at")
		forged[at] = rapid.SampledFrom([]byte("ABCabc019-_.=!")).Filter(func(c byte) bool { return c != token[at] }).Draw(t, "to")
		if _, err := r.VerifyVoter(string(forged), noon); !errors.Is(err, ErrTokenInvalid) {
			t.Fatalf("forged at %d: %v", at, err)
		}
	})
	if _, err := open(t, 2, memory(t)).VerifyVoter(r.VoterToken("v", noon.Add(time.Hour)), noon); !errors.Is(err, ErrTokenInvalid) {
		t.Errorf("of another master: %v", err)
	}
	for _, text := range []string{"", "cv1_", "cv1_AAAA", "x", strings.Repeat("A", 1<<20), "cv1_" + strings.Repeat("A", 1<<20)} {
		if _, err := r.VerifyVoter(text, noon); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestReceipts(t *testing.T) {
	r := open(t, 1, memory(t))
	rapid.Check(t, func(t *rapid.T) {
		want := Receipt{
			Poll:  rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,62}`).Draw(t, "poll"),
			Round: rapid.Uint32().Draw(t, "round"), Partition: rapid.Int32Range(0, 1024).Draw(t, "partition"), Mark: rapid.Uint64().Draw(t, "mark"),
		}
		text := r.Receipt(want)
		if text != r.Receipt(want) {
			t.Fatal("not deterministic")
		}
		if got, err := r.ParseReceipt(text); err != nil || got != want {
			t.Fatalf("%+v %v", got, err)
		}
		forged := []byte(text)
		at := rapid.IntRange(0, len(forged)-1).Draw(t, "at")
		forged[at] = rapid.SampledFrom([]byte("ABCabc019-_.=!")).Filter(func(c byte) bool { return c != text[at] }).Draw(t, "to")
		if _, err := r.ParseReceipt(string(forged)); !errors.Is(err, ErrReceiptInvalid) {
			t.Fatalf("forged at %d: %v", at, err)
		}
	})
	if _, err := r.ParseReceipt(r.VoterToken("v", noon)); !errors.Is(err, ErrReceiptInvalid) {
		t.Error("a token is a receipt")
	}
}

func TestPseudonymsAreOfOneShowAndNamespace(t *testing.T) {
	r := open(t, 1, memory(t))
	seen := map[audience.VoterID]string{}
	for _, show := range []string{"a", "b"} {
		for _, namespace := range []string{"x", "xy", ""} {
			for _, subject := range []string{"v", "yv", "xv"} {
				v, err := r.Voter(t.Context(), show, namespace, subject)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := r.Voter(t.Context(), show, namespace, subject)
				name := show + "/" + namespace + "/" + subject
				if other, ok := seen[v]; ok || v != again {
					t.Errorf("%s has the pseudonym of %s", name, other)
				}
				seen[v] = name
			}
		}
	}
}

func TestInstancesAgreeOnAShowsKey(t *testing.T) {
	bucket := memory(t)
	var all sync.WaitGroup
	voters := make([]audience.VoterID, 20)
	for i := range voters {
		r := open(t, 1, bucket)
		all.Go(func() {
			v, err := r.Voter(context.Background(), "show", "token", "subject")
			if err != nil {
				t.Error(err)
			}
			voters[i] = v
		})
	}
	all.Wait()
	for _, v := range voters {
		if v != voters[0] {
			t.Fatal("two instances have two keys")
		}
	}
}

func TestAnotherMasterSecretIsFoundOut(t *testing.T) {
	bucket := memory(t)
	here, other := open(t, 1, bucket), open(t, 2, bucket)
	check := func(what string, r *Ring, want error) {
		t.Helper()
		if err := r.Check(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	check("an empty bucket", other, nil)
	if err := here.Destroy(t.Context(), "forgotten"); err != nil {
		t.Fatal(err)
	}
	check("a destroyed key", other, nil)
	if _, err := here.Show(t.Context(), "final"); err != nil {
		t.Fatal(err)
	}
	check("the same master", here, nil)
	check("another master", other, ErrMaster)
	if err := bucket.WriteAll(t.Context(), "show-keys/damaged", []byte(keyMagic+"?"), nil); err != nil {
		t.Fatal(err)
	}
	check("one damaged key", here, nil)
	away := memblob.OpenBucket(nil)
	r := open(t, 2, away)
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	check("a bucket that is away", r, nil)
}

func TestADestroyedKeyIsGone(t *testing.T) {
	bucket, now := memory(t), noon
	clock := WithClock(func() time.Time { return now })
	here, there := open(t, 1, bucket, clock), open(t, 1, bucket, clock)
	for _, r := range []*Ring{here, there} {
		if _, err := r.Voter(t.Context(), "show", "token", "v"); err != nil {
			t.Fatal(err)
		}
	}
	if err := here.Destroy(t.Context(), "show"); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Voter(t.Context(), "show", "token", "v"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("here: %v", err)
	}
	now = now.Add(recheck)
	if _, err := there.Voter(t.Context(), "show", "token", "v"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("there, after a while: %v", err)
	}
	if _, err := open(t, 1, bucket).Voter(t.Context(), "show", "token", "v"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("a new instance: %v", err)
	}
	if data, err := bucket.ReadAll(t.Context(), "show-keys/show"); err != nil || string(data) != tombstone {
		t.Errorf("the object holds %q %v", data, err)
	}
}

func TestABucketThatIsAwayDoesNotStopAKnownShow(t *testing.T) {
	bucket, now := memblob.OpenBucket(nil), noon
	r := open(t, 1, bucket, WithClock(func() time.Time { return now }))
	want, err := r.Voter(t.Context(), "show", "token", "v")
	if err != nil {
		t.Fatal(err)
	}
	_ = bucket.Close()
	now = now.Add(2 * recheck)
	if got, err := r.Voter(t.Context(), "show", "token", "v"); err != nil || got != want {
		t.Errorf("%v %v", got, err)
	}
	if _, err := r.Voter(t.Context(), "other", "token", "v"); err == nil {
		t.Error("a key was made without a bucket")
	}
}

func TestShowKeysAreNotReadable(t *testing.T) {
	dir := t.TempDir()
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{Metadata: fileblob.MetadataDontWrite, NoTempDir: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	r := open(t, 1, bucket)
	k, err := r.Show(t.Context(), "show")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "show-keys", "show"))
	if err != nil || bytes.Contains(data, k.key[:]) {
		t.Errorf("the key stands in the file: %v", err)
	}
	if _, err := open(t, 2, bucket).Show(t.Context(), "show"); err == nil {
		t.Error("another master opens the key")
	}
	if err := os.WriteFile(filepath.Join(dir, "show-keys", "show"), data[:len(data)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, 1, bucket).Show(t.Context(), "show"); err == nil {
		t.Error("a truncated key is taken")
	}
	for _, id := range []string{"", "../x", "a/b", "A"} {
		if _, err := r.Show(t.Context(), id); err == nil {
			t.Errorf("%q has a key", id)
		}
	}
}

func TestMaster(t *testing.T) {
	if _, err := Open([]byte("short"), nil); err == nil {
		t.Error("a short master is taken")
	}
	path := filepath.Join(t.TempDir(), "master.key")
	var all sync.WaitGroup
	secrets := make([][]byte, 8)
	for i := range secrets {
		all.Go(func() {
			s, err := LoadMaster(path)
			if err != nil {
				t.Error(err)
			}
			secrets[i] = s
		})
	}
	all.Wait()
	for _, s := range secrets {
		if !bytes.Equal(s, secrets[0]) {
			t.Fatal("two processes have two masters")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadMaster(path); err == nil {
		t.Error("a damaged master is taken")
	}
	for _, text := range []string{strings.Repeat("07", 32), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="} {
		if got, err := ParseMaster(text); err != nil || !bytes.Equal(got, master(7)) {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	if _, err := ParseMaster("nonsense"); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("the error must not tell the secret: %v", err)
	}
}

func TestTheCertificatesKeyIsStable(t *testing.T) {
	if !open(t, 1, nil).Certificate().Equal(open(t, 1, nil).Certificate()) || open(t, 1, nil).Certificate().Equal(open(t, 2, nil).Certificate()) {
		t.Error("the key does not depend on the master alone")
	}
}

func TestNewTokens(t *testing.T) {
	a, b := NewToken("clk_"), NewToken("clk_")
	if a == b || !strings.HasPrefix(a, "clk_") || len(a) != 4+43 {
		t.Error(a, b)
	}
	if HashToken("abc") != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(HashToken("abc"))
	}
}

func FuzzParse(f *testing.F) {
	r := open(f, 1, nil)
	f.Add(r.VoterToken("subject", noon))
	f.Add(r.Receipt(Receipt{Poll: "p", Round: 1, Mark: 2}))
	f.Fuzz(func(t *testing.T, text string) {
		if rc, err := r.ParseReceipt(text); err == nil && r.Receipt(rc) != text {
			t.Fatal("a second spelling of a receipt")
		}
		if s, err := r.VerifyVoter(text, noon.Add(-time.Hour)); err == nil && s == "" {
			t.Fatal("a voter without subject")
		}
	})
}

func BenchmarkVoterToken(b *testing.B) {
	r := open(b, 1, nil)
	token := r.VoterToken(NewSubject(), noon.Add(time.Hour))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.VerifyVoter(token, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVoter(b *testing.B) {
	r := open(b, 1, memory(b))
	subject := NewSubject()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Voter(b.Context(), "show", "token", subject); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceipt(b *testing.B) {
	r := open(b, 1, nil)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Receipt(Receipt{Poll: "final", Round: 1, Mark: 7})
	}
}
