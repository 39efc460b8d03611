package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
)

func TestSealedValueOpensUnderItsNameOnly(t *testing.T) {
	s := newSealer(t, "flow", 0, key('a'))
	for _, plaintext := range []string{"", "x", "\x00", strings.Repeat("long ", 60_000)} {
		sealed := mustSeal(t, s, "cookie-1", plaintext)
		if got := mustOpen(t, s, "cookie-1", sealed); got != plaintext {
			t.Fatalf("opened %d bytes, sealed %d", len(got), len(plaintext))
		}
		for _, name := range []string{"", "cookie-2", "cookie-1|", "cookie", "|cookie-1"} {
			wantClosed(t, s, name, sealed)
		}
	}
}

func TestSES10NameAndDateCannotRunIntoEachOther(t *testing.T) {
	s := newSealer(t, "store", 0, key('a'))
	sealed := mustSeal(t, s, "row", "of one user")
	text, err := base64.RawURLEncoding.DecodeString(string(sealed))
	if err != nil {
		t.Fatal(err)
	}
	date, rest, _ := strings.Cut(string(text), "|")
	// The authenticated text is name|date|value: move the border between them.
	moved := base64.RawURLEncoding.EncodeToString([]byte(rest))
	wantClosed(t, s, "row|"+date, []byte(moved))
}

func TestOpenedEmptyValueIsNotNil(t *testing.T) {
	s := newSealer(t, "store", 0, key('a'))
	got, err := s.Open("row", []byte(mustSeal(t, s, "row", "")))
	if err != nil || got == nil {
		t.Fatalf("Open = %v, %v; want an empty value that is not nil", got, err)
	}
}

func TestLOG10ValueOfOnePurposeNeverOpensForAnother(t *testing.T) {
	flow := newSealer(t, "flow", 0, key('a'))
	session := newSealer(t, "session", 0, key('a'))
	wantClosed(t, session, "name", mustSeal(t, flow, "name", "state"))
	wantClosed(t, flow, "name", mustSeal(t, session, "name", "state"))
}

func TestSTO3KeyRotation(t *testing.T) {
	before := newSealer(t, "flow", 0, key('a'))
	during := newSealer(t, "flow", 0, key('b'), key('a'))
	after := newSealer(t, "flow", 0, key('b'))

	old := mustSeal(t, before, "n", "old")
	if got := mustOpen(t, during, "n", old); got != "old" {
		t.Fatalf("listed old key: got %q", got)
	}
	wantClosed(t, after, "n", old)

	renewed := mustSeal(t, during, "n", "new")
	if got := mustOpen(t, after, "n", renewed); got != "new" {
		t.Fatalf("the newest key must seal: got %q", got)
	}
	wantClosed(t, before, "n", renewed)
}

func TestEveryAlteredByteClosesTheValue(t *testing.T) {
	s := newSealer(t, "flow", 0, key('a'))
	for _, plaintext := range []string{"a", "ab", "abc", "abcd"} { // all lengths of the last base64 group
		sealed := mustSeal(t, s, "n", plaintext)
		for i := range sealed {
			for _, c := range []byte("Ab0-_=\n\x00|") {
				altered := bytes.Clone(sealed)
				if altered[i] == c {
					continue
				}
				altered[i] = c
				wantClosed(t, s, "n", altered)
			}
			wantClosed(t, s, "n", sealed[:i])
			wantClosed(t, s, "n", sealed[i+1:])
		}
	}
}

// A value has one spelling, or else what is spent under one comes back under
// another.
func TestREP1SealedValueHasOneSpelling(t *testing.T) {
	s := newSealer(t, "flow", 0, key('a'))
	for _, plaintext := range []string{"a", "ab", "abc", "abcd", "abcde"} {
		sealed := string(mustSeal(t, s, "n", plaintext))
		spellings := []string{
			sealed + "=", sealed + "==", sealed + "\n", "\r\n" + sealed, sealed[:9] + "\n" + sealed[9:],
			strings.ReplaceAll(sealed, "_", "/"), strings.ReplaceAll(sealed, "-", "+"),
			sealed[:len(sealed)-1] + string(nextInAlphabet(sealed[len(sealed)-1])),
		}
		for _, other := range spellings {
			if other != sealed {
				wantClosed(t, s, "n", []byte(other))
			}
		}
	}
}

func TestOutputFitsACookie(t *testing.T) {
	s := newSealer(t, "flow", 0, key('a'))
	for n := range 64 {
		sealed := mustSeal(t, s, "n", strings.Repeat("x", n))
		if i := bytes.IndexFunc(sealed, func(r rune) bool {
			return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", r)
		}); i >= 0 {
			t.Fatalf("byte %q in the sealed text of %d bytes", sealed[i], n)
		}
		if limit := n*16/9 + 120; len(sealed) > limit {
			t.Fatalf("%d bytes seal to %d, over %d", n, len(sealed), limit)
		}
	}
}

func TestSealLeavesThePlaintextAsItWas(t *testing.T) {
	s := newSealer(t, "flow", 0, key('a'))
	plaintext := []byte("a record the caller goes on using")
	if _, err := s.Seal("n", plaintext); err != nil {
		t.Fatal(err)
	}
	if string(plaintext) != "a record the caller goes on using" {
		t.Fatalf("plaintext became %q", plaintext)
	}
}

func TestSameValueSealsDifferentlyEachTime(t *testing.T) {
	s := newSealer(t, "flow", 0, key('a'))
	if one, two := mustSeal(t, s, "n", "same"), mustSeal(t, s, "n", "same"); bytes.Equal(one, two) {
		t.Fatal("two seals of one value are equal")
	}
}

func TestAgeLimit(t *testing.T) {
	for _, tt := range []struct {
		name          string
		maxAge        time.Duration
		opens, closes time.Duration // zero: not asked
	}{
		{"ten minutes", 10 * time.Minute, 10 * time.Minute, 10*time.Minute + time.Second},
		{"a fraction of a second is rounded up, never down to no limit", time.Millisecond, time.Second, 2 * time.Second},
		{"0 is no limit", 0, 20 * 365 * 24 * time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSealer(t, "flow", tt.maxAge, key('a'))
				sealed := mustSeal(t, s, "n", "v")
				time.Sleep(tt.opens)
				mustOpen(t, s, "n", sealed)
				if tt.closes > 0 {
					time.Sleep(tt.closes - tt.opens)
					wantClosed(t, s, "n", sealed)
				}
			})
		})
	}
}

func TestNewNamesTheRemedy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		keys    [][]byte
		purpose string
		maxAge  time.Duration
		want    string
	}{
		{"no keys", nil, "flow", 0, "seal: no key given: make one with `openssl rand -base64 32`"},
		{"short key", [][]byte{key('a'), key('b')[:31]}, "flow", 0, "seal: key 2 of 2 has 31 bytes: at least 32 random bytes are needed, make them with `openssl rand -base64 32`"},
		{"no purpose", [][]byte{key('a')}, "", 0, "seal: empty purpose: name what the values are for"},
		{"negative age", [][]byte{key('a')}, "flow", -time.Second, "seal: maximum age of -1s: use 0 for any age, or at most 68 years"},
		{"age that overflows", [][]byte{key('a')}, "flow", 100 * 365 * 24 * time.Hour, "seal: maximum age of 876000h0m0s: use 0 for any age, or at most 68 years"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := seal.New(tt.keys, tt.purpose, tt.maxAge)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	s := newSealer(t, "flow", time.Minute, key('b'), key('a'))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if sealed, err := s.Seal("n", []byte("v")); err != nil {
					t.Error(err)
				} else if got, err := s.Open("n", sealed); err != nil || string(got) != "v" {
					t.Errorf("Open = %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzOpenNeverPanics(f *testing.F) {
	s, err := seal.New([][]byte{key('b'), key('a')}, "flow", 0)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := s.Seal("n", []byte("a value"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("n", sealed)
	f.Add("", []byte(nil))
	f.Add("n|1", []byte("A"))
	f.Add("n", []byte("MTcwMDAwMDAwMHxBQUFBfEFBQUE"))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		before := bytes.Clone(value)
		got, err := s.Open(name, value)
		switch {
		case !bytes.Equal(before, value):
			t.Fatal("Open wrote to its input")
		case err == nil && (name != "n" || string(got) != "a value"):
			t.Fatalf("opened %q under %q, which nobody sealed", got, name)
		case err != nil && (!errors.Is(err, seal.ErrOpen) || got != nil):
			t.Fatalf("Open = %q, %v; want nothing and ErrOpen", got, err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	s, err := seal.New([][]byte{key('a')}, "store", 0)
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := s.Seal("n", make([]byte, 3<<10))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Open("n", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func key(c byte) []byte { return bytes.Repeat([]byte{c}, seal.MinKeyBytes) }

func newSealer(t *testing.T, purpose string, maxAge time.Duration, keys ...[]byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(keys, purpose, maxAge)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t *testing.T, s *seal.Sealer, name, plaintext string) []byte {
	t.Helper()
	sealed, err := s.Seal(name, []byte(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func mustOpen(t *testing.T, s *seal.Sealer, name string, sealed []byte) string {
	t.Helper()
	plaintext, err := s.Open(name, sealed)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return string(plaintext)
}

func wantClosed(t *testing.T, s *seal.Sealer, name string, sealed []byte) {
	t.Helper()
	if got, err := s.Open(name, sealed); err != seal.ErrOpen || got != nil {
		t.Fatalf("Open(%q, %q) = %q, %v; want ErrOpen itself and nothing else", name, sealed, got, err)
	}
}

// nextInAlphabet changes the least significant bit of one base64url digit.
func nextInAlphabet(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)^1]
}
