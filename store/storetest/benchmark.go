package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// Benchmark measures what a request costs in s: Load2 reads a session of 1 KiB
// and its tokens of 3 KiB, which is the one call of a signed-in request; Save
// replaces the tokens, as a refresh does.
func Benchmark(b *testing.B, s store.Store) {
	session := store.Entry{Value: bytes.Repeat([]byte("s"), 1<<10), ExpiresAt: time.Now().Add(time.Hour)}
	tokens := store.Entry{Value: bytes.Repeat([]byte("t"), 3<<10), ExpiresAt: time.Now().Add(time.Hour)}
	sessionKey, tokensKey := hashedKey("session"), hashedKey("tokens")
	keys := []string{sessionKey, tokensKey}
	if _, err := s.Save(b.Context(), sessionKey, session); err != nil {
		b.Fatal(err)
	}
	tokens, err := s.Save(b.Context(), tokensKey, tokens)
	if err != nil {
		b.Fatal(err)
	}

	b.Run("Load2", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if entries, err := s.Load(b.Context(), keys...); err != nil || entries[1].Version == 0 {
				b.Fatal(entries, err)
			}
		}
	})
	b.Run("Load2Parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if entries, err := s.Load(b.Context(), keys...); err != nil || entries[1].Version == 0 {
					b.Error(entries, err)
					return
				}
			}
		})
	})
	b.Run("Save", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if tokens, err = s.Save(b.Context(), tokensKey, tokens); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// hashedKey is a key as the layers above make them.
func hashedKey(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "benchmark:" + base64.RawURLEncoding.EncodeToString(sum[:])
}
