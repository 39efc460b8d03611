package providers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
)

// TestLEA5SecretsPrintAsNothing: every way that a value finds into a text.
func TestLEA5SecretsPrintAsNothing(t *testing.T) {
	const value = "the-value-nobody-may-see"
	s := providers.NewSecret(value)
	login := &providers.Login{Provider: "op", Tokens: providers.Tokens{AccessToken: s, RefreshToken: s, IDToken: s}}
	cfg := config(func(c *providers.OIDCConfig) { c.ClientSecret = s })
	p, err := providers.NewOIDC(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		logger.Info("x", "secret", s, "pointer", &s, "login", login, "config", cfg, "provider", p)
	}
	texts := []string{log.String()}
	for _, v := range []any{s, &s, login, *login, cfg, &cfg, p, []providers.Secret{s}, map[string]providers.Secret{"a": s}, struct{ s providers.Secret }{s}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			texts = append(texts, fmt.Sprintf(format, v))
		}
	}
	for _, v := range []any{s, &s, login, map[string]providers.Secret{"a": s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if text, err := s.MarshalText(); err != nil {
		t.Error(err)
	} else {
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		if strings.Contains(text, value) || strings.Contains(text, fmt.Sprintf("%x", value)) {
			t.Errorf("the value is in %s", text)
		}
	}
	if fmt.Sprint(s) != "[redacted]" || fmt.Sprint(providers.Secret{}) != "" {
		t.Errorf("%v, %v", s, providers.Secret{})
	}
}

func TestSecretHoldsItsValue(t *testing.T) {
	a, b, none := providers.NewSecret("a"), providers.NewSecret("b"), providers.NewSecret("")
	if a.Reveal() != "a" || none.Reveal() != "" || !none.IsZero() || a.IsZero() {
		t.Error("a Secret lost its value")
	}
	if !a.Equal(providers.NewSecret("a")) || a.Equal(b) || a.Equal(none) || !none.Equal(providers.Secret{}) {
		t.Error("Equal compares values")
	}
}
