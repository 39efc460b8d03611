package appservice

import "regexp"

// Convention is how a proxy in front says which URL the browser asked for.
type Convention string

// The values of forwardProxy.convention.
const (
	NoProxy  Convention = "NoProxy"
	Standard Convention = "Standard"
	Custom   Convention = "Custom"
)

// HTTPSettings is how requests arrive.
type HTTPSettings struct {
	RequireHTTPS bool
	Routes       struct{ APIPrefix string }
	ForwardProxy ForwardProxy
}

// ForwardProxy names the headers of the proxy in front.
type ForwardProxy struct {
	Convention      Convention
	HostHeaderName  string // of Custom
	ProtoHeaderName string // of Custom
}

func (h *HTTPSettings) members() []member {
	return []member{
		truth("requireHttps", &h.RequireHTTPS),
		holding("routes", fields{word("apiPrefix", &h.Routes.APIPrefix)}),
		holding("forwardProxy", &h.ForwardProxy),
	}
}

func (f *ForwardProxy) members() []member {
	return []member{
		choice("convention", &f.Convention, NoProxy, Standard, Custom),
		word("customHostHeaderName", &f.HostHeaderName),
		word("customProtoHeaderName", &f.ProtoHeaderName),
	}
}

var prefixPattern = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)

func (h *HTTPSettings) check(s *Settings, mistakes *Mistakes) {
	if p := h.Routes.APIPrefix; !prefixPattern.MatchString(p) || !plainPath(p) {
		mistakes.Follow(s.At("httpSettings.routes.apiPrefix"), `is not a path of letters, digits, ".", "_" and "-": write it as "/.auth"`)
	}
	h.ForwardProxy.check(s, mistakes)
}

var headerPattern = regexp.MustCompile(`^[A-Za-z0-9-]*$`)

func (f *ForwardProxy) check(s *Settings, mistakes *Mistakes) {
	at := s.At("httpSettings.forwardProxy")
	if f.Convention == Custom && f.HostHeaderName == "" && f.ProtoHeaderName == "" {
		mistakes.Follow(Member(at, "convention"), "is Custom and no header is named: give customHostHeaderName and customProtoHeaderName")
	}
	for _, h := range []struct{ name, value string }{
		{"customHostHeaderName", f.HostHeaderName}, {"customProtoHeaderName", f.ProtoHeaderName},
	} {
		if !headerPattern.MatchString(h.value) {
			mistakes.Follow(Member(at, h.name), `is not a header's name: write one such as "X-Original-Host"`)
		}
	}
}
