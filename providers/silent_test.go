package providers_test

import (
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestSilentLogin asks for a sign-in of which the user sees nothing.
func TestSilentLogin(t *testing.T) {
	silently := func(r *rig) (*providers.Login, error) {
		flow := providers.NewFlow("op", callback, "/")
		flow.Silent = true
		address, err := r.Begin(r.t.Context(), &flow, r.SilentParams())
		if err != nil {
			r.t.Fatal(err)
		}
		if q := parseURL(r.t, address).Query(); q.Get("prompt") != "none" {
			r.t.Errorf("asks for %v", q)
		}
		if _, err := r.browser.Open(address); err != nil {
			r.t.Fatal(err)
		}
		return r.Complete(r.t.Context(), flow, r.returned)
	}
	t.Run("who is signed in at the provider is signed in", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.signIn()
		if login, err := silently(r); err != nil || login.Identity.Subject != "sub-alice" {
			t.Errorf("%v: %+v", err, login)
		}
	})
	t.Run("who is not would have to be asked", func(t *testing.T) {
		_, err := silently(newRig(t, providertest.Config{}))
		if e := wantError(t, err, providers.Interaction, "interaction_required"); e.Code != "login_required" {
			t.Errorf("code %q", e.Code)
		}
	})
	t.Run("every code that asks for the user", func(t *testing.T) {
		for _, code := range []string{"login_required", "interaction_required", "consent_required", "account_selection_required"} {
			r := newRig(t, providertest.Config{})
			flow, response := r.respond()
			flow.Silent = true
			answer(code)(&flow, response)
			_, err := r.Complete(t.Context(), flow, response)
			wantError(t, err, providers.Interaction, code)
		}
	})
	t.Run("a user who declines, declines", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		flow, response := r.respond()
		flow.Silent = true
		answer("access_denied")(&flow, response)
		_, err := r.Complete(t.Context(), flow, response)
		wantError(t, err, providers.Denied, "access_denied")
	})
	t.Run("a provider that always asks is not asked", func(t *testing.T) {
		if params := newRig(t, providertest.Config{}, likeApple).SilentParams(); params != nil {
			t.Errorf("%v", params)
		}
	})
}
