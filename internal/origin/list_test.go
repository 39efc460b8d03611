package origin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/internal/origin"
)

var entries = []string{
	"https://Partner.example",
	"https://slash.example:8443/",
	"https://paged.example/signed-in?from=settings",
	"http://localhost:4200",
	"myapp://easyauth.callback",
	"myapp://Other.callback/Done",
}

func list(t *testing.T, entries ...string) origin.List {
	t.Helper()
	l, err := origin.NewList(entries)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEntriesAllowWhatTheyNameAndNothingBeside(t *testing.T) {
	l := list(t, entries...)
	for target, want := range map[string]bool{
		"https://partner.example":               true,
		"https://partner.example/":              true,
		"https://partner.example:443/a?b=c#d":   true,
		"https://slash.example:8443/anything":   true,
		"https://paged.example/signed-in":       true,
		"https://paged.example/signed-in?x=y#z": true,
		"http://localhost:4200/a":               true,
		"myapp://easyauth.callback":             true,
		"myapp://easyauth.callback/":            true,
		"MyApp://easyauth.callback":             true, // a scheme has no case
		"myapp://easyauth.callback/?a=b":        true,
		"myapp://other.callback/Done":           true,

		"https://paged.example/":                false,
		"https://paged.example/signed-in/":      false,
		"https://paged.example/signed-in/x":     false,
		"https://paged.example/Signed-In":       false,
		"https://paged.example/x/../signed-in":  false,
		"https://slash.example/anything":        false,
		"http://partner.example/":               false,
		"http://localhost/":                     false,
		"myapp://easyauth.callback/x":           false,
		"myapp://other.callback/done":           false,
		"myapp://other.callback":                false,
		"myapp:easyauth.callback":               false,
		"myapp2://easyauth.callback":            false,
		"https://partner.example.evil.example/": false, // RED6
		"https://evilpartner.example/":          false,
		"https://partner.example@evil.example/": false, // RED7
		"https:/partner.example/":               false,
		"https:///partner.example/":             false,
		"//partner.example/":                    false, // RED1
		"https://partner.example\\@evil":        false, // RED2
		"https://partner.example/\t/evil":       false, // RED3
		"https://partner.example/\u00a0":        false,
		"https://partner.example/a\\b":          false,
		"https://partner.example/../evil":       false, // RED4
		"https://partner.example//evil":         false,
		"https://partner.example?x":             false, // no path before the query: readers differ
		"javascript://partner.example/%0aalert": false, // RED8
		"https://partner.example/%zz":           false, // RED9
		"/":                                     false,
		"":                                      false,
	} {
		if got := l.Allows(target); got != want {
			t.Errorf("%q: allowed %v", target, got)
		}
	}
	if (origin.List{}).Allows("https://partner.example/") {
		t.Error("the empty list allows a target")
	}
}

func TestOriginsOfAllEntriesAreTrustedExactlyAsBrowsersWriteThem(t *testing.T) {
	l := list(t, append(entries, "https://partner.example:443/again")...)
	want := []string{"https://partner.example", "https://slash.example:8443", "https://paged.example", "http://localhost:4200", "myapp://easyauth.callback", "myapp://other.callback"}
	if got := l.Origins(); !slices.Equal(got, want) {
		t.Errorf("origins %q, want %q", got, want)
	}
	for _, o := range want {
		if !l.Trusts(o) {
			t.Errorf("%q is not trusted", o)
		}
	}
	for _, o := range []string{"", "null", "*", "https://", "https://partner.example/", "https://Partner.example", "https://partner.example:443", "http://partner.example", "https://slash.example", "https://sub.partner.example", "https://partner.example.evil.example"} {
		if l.Trusts(o) {
			t.Errorf("%q is trusted", o)
		}
	}
}

func TestMistakenEntriesAreNamedWithTheirRemedy(t *testing.T) {
	for entry, want := range map[string]string{
		"http://partner.example":        "use https",
		"https://*.partner.example":     "no place to redirect to",
		"https://büro.example":          "no place to redirect to",
		"https://user@partner.example":  "no place to redirect to",
		"https://partner.example:08443": "no place to redirect to",
		"https://partner.example/a#b":   "no place to redirect to",
		"https://partner.example/a b":   "no place to redirect to",
		"partner.example":               "no place to redirect to",
		"/home":                         "no place to redirect to",
		"":                              "no place to redirect to",
		"https://partner.example/a/..":  "read in different ways",
		"https://partner.example//a":    "read in different ways",
		"javascript://partner.example":  "opens no application",
		"data://x":                      "opens no application",
		"intent://x":                    "opens no application",
		"my app://x":                    "no place to redirect to",
		"1app://x":                      "opens no application",
		"my_app://x":                    "opens no application",
	} {
		_, err := origin.NewList([]string{"https://fine.example", entry})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", entry, err, want)
		}
	}
	_, err := origin.NewList([]string{"a", "b"})
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("two mistakes give %v", err)
	}
}
