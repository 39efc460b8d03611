package main

import (
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/onehost"
)

// everyName are the names of App Service's own providers.
var everyName = []string{"aad", "google", "microsoftaccount", "facebook", "github", "twitter", "apple"}

// develop puts the development provider in the place of those that cfg names.
// Without any, it goes by every name that App Service knows.
func (g *gateway) develop(cfg *easyauth.Config) error {
	if !onehost.Loopback(g.base) {
		return fmt.Errorf("-dev lets anybody in under any name, so it is for this computer only: %s is not", g.base)
	}
	if at := g.listener.Addr(); !onehost.Loopback("http://" + at.String()) {
		return fmt.Errorf("-dev lets anybody in under any name, and -addr %s can be reached from elsewhere: listen on 127.0.0.1", g.addr)
	}
	names := everyName
	if len(cfg.Providers) > 0 {
		names = nil
		for _, p := range cfg.Providers {
			names = append(names, p.Name())
		}
	}
	memory, err := g.devMemory()
	if err != nil {
		return err
	}
	g.idp, err = devprovider.Setup{
		BaseURL: g.base,
		Prefix:  cfg.Prefix,
		Names:   names,
		Port:    devprovider.PortBeside(g.addr),
		Memory:  memory,
	}.Start()
	if err != nil {
		return err
	}
	g.closers = append(g.closers, g.idp)
	cfg.Providers = g.idp.All
	g.log.Warn("DEVELOPMENT ONLY: whoever types a name is signed in, nobody is asked for a password", "provider", g.idp.Server.Issuer(), "as", names)
	return nil
}

// hereOnly refuses requests for a host that is not this computer. Any name of the
// web can be made to lead here (DNS rebinding), or a tunnel be laid, and who came
// by it could sign in as anybody.
func hereOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !onehost.Loopback("http://" + r.Host) {
			http.Error(w, "With -dev the gateway answers to the names of this computer only.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// devMemory is where the development provider keeps its grants: beside the
// sessions that live by them, or nowhere if those end with this program too.
func (g *gateway) devMemory() (string, error) {
	switch {
	case !g.store.Lasting():
		return "", nil
	case g.store.File() != "":
		return g.store.File() + ".devprovider", nil
	}
	dir, err := stateDir()
	return filepath.Join(dir, "devprovider"), err
}
