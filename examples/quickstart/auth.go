package main

import (
	"context"
	"path/filepath"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/openstore"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/store"
)

// realName is the alias of the provider that -issuer names.
const realName = "oidc"

// mount makes the one value of easyauth that serves /.auth, authenticates
// requests and guards routes.
func (a *app) mount(provider providers.Provider, st store.Store, keys []providers.Secret) (err error) {
	a.auth, err = easyauth.New(easyauth.Config{
		BaseURL:         a.base,
		Providers:       []providers.Provider{provider},
		Store:           st,
		Keys:            keys,
		SessionLifetime: a.session,
		GracePeriod:     a.grace,
		Hooks:           a.feed.hooks(),
		Logger:          a.log,
	})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, a.auth)
	return nil
}

// openProvider starts the development provider, or configures the real one,
// which is not asked anything before somebody signs in.
func (a *app) openProvider() (providers.Provider, error) {
	if a.issuer != "" {
		return providers.NewOIDC(providers.OIDCConfig{
			Name:         realName,
			Issuer:       a.issuer,
			ClientID:     a.clientID,
			ClientSecret: a.clientSecret,
			Scopes:       a.scopes,
		})
	}
	dev, err := devprovider.Start(a.base, devprovider.PortBeside(a.addr), a.devMemory(), providertest.Config{AccessTokenLifetime: a.tokenLifetime})
	if err != nil {
		return nil, err
	}
	a.dev = dev
	a.closers = append(a.closers, dev)
	return dev.OIDC, nil
}

// devMemory is where the development provider keeps its grants: beside the
// sessions that live by them, or nowhere if those end with this program too.
func (a *app) devMemory() string {
	switch {
	case !a.remembers():
		return ""
	case a.store.File() != "":
		return a.store.File() + ".devprovider"
	}
	return filepath.Join(a.cacheDir, "devprovider")
}

func (a *app) openStore(ctx context.Context) (store.Store, error) {
	st, closer, err := openstore.Open(ctx, a.store)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closer)
	return st, nil
}

func (a *app) providerName() string {
	if a.dev != nil {
		return devprovider.Name
	}
	return realName
}

func (a *app) issuerURL() string {
	if a.dev != nil {
		return a.dev.Server.Issuer()
	}
	return a.issuer
}
