package principal

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/goeasyauth/easyauth/providers"
)

// Claim is one statement about the user. The value is always text.
type Claim struct {
	Typ string `json:"typ"`
	Val string `json:"val"`
}

// Types that the contract, and those who read it, know by name.
const (
	typName       = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
	typEmail      = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
	typIdentifier = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
	typObject     = "http://schemas.microsoft.com/identity/claims/objectidentifier"
	typUPN        = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
	typRole       = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
	typGroups     = "groups"
)

// longType returns the type under which a claim is known to App Service. What
// is not in the list keeps its name; roles do too.
func longType(name string) string {
	switch name {
	case "sub":
		return typIdentifier
	case "email":
		return typEmail
	case "given_name":
		return "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"
	case "family_name":
		return "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"
	case "unique_name":
		return typName
	case "upn":
		return typUPN
	case "gender":
		return "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/gender"
	case "website":
		return "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/webpage"
	case "oid":
		return typObject
	case "tid":
		return "http://schemas.microsoft.com/identity/claims/tenantid"
	case "idp":
		return "http://schemas.microsoft.com/identity/claims/identityprovider"
	case "amr":
		return "http://schemas.microsoft.com/claims/authnmethodsreferences"
	case "scp":
		return "http://schemas.microsoft.com/identity/claims/scope"
	}
	return name
}

// flatten lists the claims in their order. An array becomes one entry per
// element under the same type, an object its JSON text without white space;
// null, and an empty array, are no statement at all.
func flatten(claims providers.Claims) []Claim {
	list := make([]Claim, 0, claims.Len())
	for name, value := range claims.All() {
		typ := longType(name)
		if len(value) == 0 || value[0] != '[' {
			list = appendValue(list, typ, value)
			continue
		}
		var elements []json.RawMessage
		if json.Unmarshal(value, &elements) != nil {
			continue // not JSON: Claims never holds such a value
		}
		for _, element := range elements {
			list = appendValue(list, typ, element)
		}
	}
	return list
}

func appendValue(list []Claim, typ string, value json.RawMessage) []Claim {
	switch text := string(value); {
	case text == "" || text == "null":
		return list
	case text[0] == '"':
		var s string
		if json.Unmarshal(value, &s) != nil {
			return list
		}
		return append(list, Claim{typ, s})
	case text[0] == '{' || text[0] == '[':
		var b bytes.Buffer
		if json.Compact(&b, value) != nil {
			return list
		}
		return append(list, Claim{typ, b.String()})
	default: // a number or a boolean, as the provider wrote it
		return append(list, Claim{typ, strings.TrimSpace(text)})
	}
}
