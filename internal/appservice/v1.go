package appservice

import (
	"strconv"
	"strings"
	"time"
)

// classic are the settings of the first version that mean the same as a member of
// the tree (contract 4). The member counts where both are there.
func (s *Settings) classic(setting func(name string) string, mistakes *Mistakes) {
	const validateNonce = "WEBSITE_AUTH_VALIDATE_NONCE"
	flag := func(name string, field *bool) {
		if value := setting(name); value != "" {
			v, err := strconv.ParseBool(strings.ToLower(value))
			if err != nil {
				mistakes.Add(Setting(name), "is not true or false")
				return
			}
			*field = v
		}
	}
	duration := func(name string, parse func(string) (time.Duration, bool), form string, field *time.Duration) {
		if value := setting(name); value != "" {
			d, ok := parse(value)
			if !ok {
				mistakes.Add(Setting(name), "is not %s", form)
				return
			}
			*field = d
		}
	}
	duration("WEBSITE_AUTH_NONCE_DURATION", parseTimespan, "a time span: write hh:mm:ss", &s.Login.Nonce.ExpirationInterval)
	validate := true
	if flag(validateNonce, &validate); !validate {
		mistakes.Add(Setting(validateNonce), alwaysValidated)
	}
	flag("WEBSITE_AUTH_PRESERVE_URL_FRAGMENT", &s.Login.PreserveURLFragments)
	duration("WEBSITE_AUTH_TOKEN_REFRESH_HOURS", parseHours, "a number of hours, such as 72", &s.Login.TokenStore.RefreshExtension)
	flag("WEBSITE_AUTH_DISABLE_WWWAUTHENTICATE", &s.hideChallenge)
	if name := "WEBSITE_AUTH_TOKEN_CONTAINER_SASURL"; setting(name) != "" {
		mistakes.Add(Setting(name), noBlobs)
	}
}
