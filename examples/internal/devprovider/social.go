package devprovider

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// isSocial reports whether the name is of one that speaks OAuth without OpenID
// Connect. Those are played each for itself, with their own claims and habits.
func isSocial(name string) bool {
	return slices.Contains([]string{"github", "facebook", "twitter", "x"}, name)
}

// addSocial plays one of them at an address of its own.
func (p *Provider) addSocial(name string, s Setup) error {
	listener, err := listen(s.Port)
	if err != nil {
		return fmt.Errorf("devprovider: no port for %s to listen on: %w", name, err)
	}
	provider, played, err := social(name, addressBeside(s.BaseURL, listener))
	if err != nil {
		_ = listener.Close()
		return err
	}
	p.serve(listener, played)
	p.All = append(p.All, provider)
	return nil
}

func social(name, address string) (p providers.Provider, played http.Handler, err error) {
	secret := providers.NewSecret(providertest.ClientSecret)
	switch name {
	case "github":
		played = providertest.NewGitHub(providertest.GitHubConfig{URL: address})
		p, err = providers.NewGitHub(providers.GitHubConfig{
			ClientID: providertest.ClientID, ClientSecret: secret, Server: address, Scopes: []string{"user:email"},
		})
	case "facebook":
		played = providertest.NewFacebook(providertest.FacebookConfig{URL: address})
		p, err = providers.NewFacebook(providers.FacebookConfig{
			AppID: providertest.ClientID, AppSecret: secret, Dialog: address, Graph: address, Scopes: []string{"public_profile", "email"},
		})
	default:
		played = providertest.NewTwitter(providertest.TwitterConfig{URL: address})
		p, err = providers.NewTwitter(providers.TwitterConfig{
			Name: name, ConsumerKey: providertest.ClientID, ConsumerSecret: secret, API: address,
		})
	}
	return p, played, err
}
