package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/middleware"
)

// settings is the configuration that auth.json describes, or that of an
// application without one: everybody may come in, and may sign in.
func (o options) settings() (easyauth.Config, error) {
	if o.config == "" {
		return easyauth.Config{IdentityHeaders: true, TokenHeaders: true, RefreshTokenInMe: true}, nil
	}
	return easyauth.LoadAppService(o.config, o.setting)
}

// setting is an app setting: a variable of the environment. In development the
// secrets of registrations need not be there, because nobody is asked for them.
func (o options) setting(name string) (string, bool) {
	value, ok := os.LookupEnv(name)
	if !ok && o.dev && !strings.HasPrefix(name, "WEBSITE_") {
		return "no secret at all", true
	}
	return value, ok
}

// place says how browsers reach the application, which is more than auth.json
// can: on App Service everybody comes through the one front end.
func (g *gateway) place(cfg *easyauth.Config) error {
	plain := strings.HasPrefix(g.base, "http:") // on this computer only; easyauth takes it nowhere else
	if plain && cfg.Gate != nil && cfg.Gate.RequireHTTPS {
		cfg.Gate.RequireHTTPS = false
		g.log.Info("nobody is sent from http to https, because there is none here", "url", g.base)
	}
	switch {
	case len(g.proxies) > 0:
		cfg.ForwardProxy = cmp.Or(cfg.ForwardProxy, new(middleware.ForwardProxy))
		cfg.ForwardProxy.Trusted = g.proxies
	case plain:
		cfg.ForwardProxy = nil // the one that auth.json has in mind is not here
	case cfg.ForwardProxy != nil:
		return fmt.Errorf("%s says that there is a proxy in front (httpSettings.forwardProxy): give its addresses with -trusted-proxies", g.config)
	case cfg.Gate != nil && cfg.Gate.RequireHTTPS:
		return fmt.Errorf("the gateway speaks http, and %s is https: give the addresses of the proxy between with -trusted-proxies", g.base)
	}
	return nil
}
