package main

import (
	"fmt"
	"math"
	"net"
	"strconv"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
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
	dev, err := devprovider.Start(a.base, a.portBeside(), a.devMemory(), providertest.Config{AccessTokenLifetime: a.tokenLifetime})
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
	if a.sqliteFile == "" {
		return ""
	}
	return a.sqliteFile + ".devprovider"
}

func (a *app) openStore() (store.Store, error) {
	if a.sqliteFile == "" {
		return memstore.New(), nil
	}
	st, err := sqlitestore.Open(a.sqliteFile)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	a.closers = append(a.closers, st)
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

// portBeside is the port next to a fixed one, so that the development provider
// is found at the same address after a restart, and 0 next to a free one.
func (a *app) portBeside() int {
	_, port, _ := net.SplitHostPort(a.addr)
	n, err := strconv.Atoi(port)
	if err != nil || n == 0 || n == math.MaxUint16 {
		return 0
	}
	return n + 1
}
