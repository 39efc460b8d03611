package azureclient_test

import (
	"net/url"
	"strings"
)

// sdk is one of Microsoft's SDKs for devices: what it sends, and how it reads
// what comes back (contract 1.3, 1.5).
type sdk struct {
	name     string
	redirect string // the address of its application, as it spells it
	mode     string // its session_mode
	// code takes the code out of the address that opened the application, and
	// prepares it for a query.
	code func(address string) string
	// result takes what followed #token= or #error= out of the address of the page
	// that it watches for.
	result func(address, mark string) string
}

var sdks = []sdk{
	{
		name:     ".NET",
		redirect: appScheme + "/", // System.Uri ends an address that has only a host with a slash
		mode:     "token",
		code:     func(address string) string { return url.QueryEscape(unescape(after(address, "#authorization_code="))) },
		result:   func(address, mark string) string { return unescape(after(address, mark)) },
	},
	{
		name:     "iOS",
		redirect: strings.Replace(appScheme, "zumoe2etest", "ZumoE2ETest", 1), // as the program has it
		code:     func(address string) string { return after(address, "#authorization_code=") },
		result:   func(address, mark string) string { return unescape(after(address, mark)) },
	},
	{
		name:     "Android",
		redirect: appScheme,
		code: func(address string) string {
			return url.QueryEscape(decodeForm(after(address, "#authorization_code=")))
		},
		result: func(address, mark string) string { return after(decodeForm(address), mark) },
	},
}

// start is where the SDK sends the browser to.
func (d sdk) start(service, provider, challenge string) string {
	params := url.Values{
		"post_login_redirect_url": {d.redirect},
		"code_challenge":          {challenge},
		"code_challenge_method":   {"S256"},
	}
	if d.mode != "" {
		params.Set("session_mode", d.mode)
	}
	return service + "/.auth/login/" + provider + "?" + strings.ReplaceAll(params.Encode(), "+", "%20")
}

func after(address, mark string) string {
	_, rest, _ := strings.Cut(address, mark)
	return rest
}

// unescape reads percent signs, as .NET and iOS do.
func unescape(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return ""
	}
	return plain
}

// decodeForm is URLDecoder of Java, for which a plus sign is a space.
func decodeForm(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return ""
	}
	return plain
}
