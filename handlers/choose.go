package handlers

import (
	"maps"
	"net/http"
	"strings"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// choose offers the providers: GET /.auth/login. The links keep the parameters,
// except for a target that is not allowed, which no page of ours shows (RED8).
func (h *Handler) choose(w http.ResponseWriter, r *http.Request) {
	params, ok := query(r)
	target, _, once := h.targets.given(params, loginTarget, loginTargetOld)
	if !ok || !once {
		respond.Fail(w, r, respond.BadRequest, respond.Options{})
		return
	}
	flow := providers.Flow{ReturnTo: target}
	h.wanted(&flow, maps.Clone(params)) // what is wrong with it, the login says
	if h.mayLead(r, flow) {
		params.Set(loginTarget, target)
	}
	suffix := ""
	if len(params) > 0 {
		suffix = "?" + params.Encode()
	}
	page := respond.Page{Title: "Sign in", Text: "Choose how you want to sign in."}
	for _, p := range h.providers {
		page.Links = append(page.Links, respond.Link{
			Text: "Continue with " + displayName(p.Name()),
			Href: h.paths.Prefix() + "/login/" + p.Name() + suffix,
		})
	}
	respond.Show(w, r, http.StatusOK, page)
}

// displayNames are those aliases of App Service that do not tell their names.
var displayNames = map[string]string{"aad": "Microsoft", "microsoftaccount": "a personal Microsoft account", "github": "GitHub", "twitter": "X"}

// displayName makes an alias presentable.
func displayName(alias string) string {
	if name, known := displayNames[alias]; known {
		return name
	}
	words := strings.ReplaceAll(alias, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}
