package respond_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/internal/respond"
)

func request(method string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "/page", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func TestNavigation(t *testing.T) {
	tests := []struct {
		name string
		r    *http.Request
		want bool
	}{
		{"a browser opens a page", request("GET", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), true},
		{"a browser asks for the head of a page", request("HEAD", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), true},
		{"an old browser opens a page", request("GET", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), true},
		{"a web view that names its app opens a page", request("GET", "Sec-Fetch-Mode", "navigate", "X-Requested-With", "com.example.app"), true},

		{"a form is posted", request("POST", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), false},
		{"a preflight", request("OPTIONS", "Accept", "text/html"), false},
		{"fetch that asks for HTML", request("GET", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "text/html"), false},
		{"an image", request("GET", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"), false},
		{"a frame", request("GET", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"), false},
		{"a prefetch", request("GET", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Purpose", "prefetch;prerender"), false},
		{"an old prefetch", request("GET", "Accept", "text/html", "Purpose", "prefetch"), false},
		{"XMLHttpRequest of an old browser", request("GET", "Accept", "text/html", "X-Requested-With", "XMLHttpRequest"), false},
		{"a program", request("GET", "Accept", "*/*"), false},
		{"a program that says nothing", request("GET"), false},
		{"a WebSocket", request("GET", "Accept", "text/html", "Connection", "Upgrade", "Upgrade", "websocket"), false},
		{"gRPC", request("GET", "Accept", "text/html", "Content-Type", "application/grpc-web"), false},
		{"a mobile SDK", request("GET", "Accept", "text/html", "X-ZUMO-VERSION", "2"), false},
		{"a mobile SDK, API version only", request("GET", "Accept", "text/html", "ZUMO-API-VERSION", "2.0.0"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := respond.Navigation(tt.r); got != tt.want {
				t.Errorf("Navigation = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFailShowsAPageForAPostedFormAndAProblemForFetch(t *testing.T) {
	for accept, r := range map[string]*http.Request{
		"text/html; charset=utf-8": request("POST", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"),
		"application/problem+json": request("POST", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"),
	} {
		rec := httptest.NewRecorder()
		respond.Fail(rec, r, respond.SignInInvalid, respond.Options{})
		if got := rec.Header().Get("Content-Type"); got != accept {
			t.Errorf("Content-Type %q, want %q", got, accept)
		}
	}
}

// Every reason has a status of the kind that its place in the list promises, a
// code of its own and words of its own, and the words hold nothing to fill in.
func TestEveryReasonIsComplete(t *testing.T) {
	codes := make(map[string]bool)
	for why := respond.Internal; why <= respond.ProviderMisconfigured; why++ {
		rec := httptest.NewRecorder()
		respond.Problem(rec, request("GET"), why, respond.Options{})
		var body struct {
			Type, Title, Detail, Reason string
			Status                      int
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
			t.Fatalf("%v: %v", why, err)
		}
		if codes[body.Reason] {
			t.Errorf("code %q repeats", body.Reason)
		}
		codes[body.Reason] = true
		if rec.Code != why.Status() || body.Status != rec.Code || rec.Code < 400 {
			t.Errorf("%v: status %d, body says %d, Status %d", why, rec.Code, body.Status, why.Status())
		}
		if body.Type != "about:blank" || body.Title != http.StatusText(rec.Code) || body.Detail == "" || strings.Contains(body.Detail, "%") {
			t.Errorf("%v: body %+v", why, body)
		}
	}
	if got := respond.Reason(200); got.String() != "internal" || got.Status() != 500 {
		t.Errorf("a reason that is not in the list is %v, %d", got, got.Status())
	}
}

func TestCAC2EveryAnswerIsNeverCached(t *testing.T) {
	answers := map[string]func(http.ResponseWriter, *http.Request){
		"problem": func(w http.ResponseWriter, r *http.Request) {
			respond.Problem(w, r, respond.NotFound, respond.Options{})
		},
		"page":     func(w http.ResponseWriter, r *http.Request) { respond.Show(w, r, 200, respond.Page{Title: "x"}) },
		"json":     func(w http.ResponseWriter, r *http.Request) { respond.JSON(w, r, 200, 1) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { respond.Redirect(w, r, "/") },
	}
	for name, answer := range answers {
		rec := httptest.NewRecorder()
		rec.Header().Set("Cache-Control", "public, max-age=60")
		rec.Header().Set("Vary", "Origin")
		respond.NoStore(rec.Header()) // once more than needed
		answer(rec, request("GET"))
		want := http.Header{
			"Cache-Control":          {"no-store"},
			"Vary":                   {"Origin", "Cookie"},
			"X-Content-Type-Options": {"nosniff"},
			"Referrer-Policy":        {"no-referrer"},
		}
		for key, values := range want {
			if got := rec.Header()[key]; !reflect.DeepEqual(got, values) {
				t.Errorf("%s: %s: %q, want %q", name, key, got, values)
			}
		}
	}
}

func TestAnswersToHEADHaveNoBody(t *testing.T) {
	for _, accept := range []string{"text/html", "application/json"} {
		get, head := httptest.NewRecorder(), httptest.NewRecorder()
		respond.Fail(get, request("GET", "Accept", accept), respond.NotFound, respond.Options{})
		respond.Fail(head, request("HEAD", "Accept", accept), respond.NotFound, respond.Options{})
		if head.Body.Len() != 0 || get.Body.Len() == 0 {
			t.Errorf("%s: HEAD has %d bytes, GET %d", accept, head.Body.Len(), get.Body.Len())
		}
		if !reflect.DeepEqual(head.Header(), get.Header()) || head.Code != get.Code {
			t.Errorf("%s: HEAD answers %d %v, GET %d %v", accept, head.Code, head.Header(), get.Code, get.Header())
		}
	}
}

func TestG33RedirectWritesTheTargetAsItIs(t *testing.T) {
	tests := []struct{ location, want string }{
		{"/a?b=c&d=%2F", "/a?b=c&d=%2F"},
		{"/../x", "/../x"}, // cleaned, the next one would lead to another host
		{`/../\evil.example`, "/../%5Cevil.example"},
		{"/caf\u00e9", "/caf%C3%A9"},
		{"/a b\r\nSet-Cookie: x=1", "/a%20b%0D%0ASet-Cookie:%20x=1"},
		{"https://login.example/authorize?x=1", "https://login.example/authorize?x=1"},
	}
	for _, tt := range tests {
		rec := httptest.NewRecorder()
		respond.Redirect(rec, request("GET"), tt.location)
		if got := rec.Header().Get("Location"); got != tt.want {
			t.Errorf("Location %q, want %q", got, tt.want)
		}
	}
}

func TestRedirectNeverRepeatsAPost(t *testing.T) {
	for method, want := range map[string]int{"GET": 302, "HEAD": 302, "POST": 303} {
		rec := httptest.NewRecorder()
		respond.Redirect(rec, request(method), "/")
		if rec.Code != want {
			t.Errorf("%s: status %d, want %d", method, rec.Code, want)
		}
	}
}

// LEA1: a page runs nothing, loads nothing, and applies no style but its own.
func TestLEA1PagePolicyAllowsItsOwnStyleAndNothingElse(t *testing.T) {
	rec := httptest.NewRecorder()
	respond.Fail(rec, request("GET", "Accept", "text/html"), respond.NotFound, respond.Options{})
	policy := rec.Header().Get("Content-Security-Policy")
	body := rec.Body.String()
	_, rest, _ := strings.Cut(body, "<style>")
	style, _, ok := strings.Cut(rest, "</style>")
	if !ok {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("policy %q, want %q", policy, want)
	}
	for _, forbidden := range []string{"<script", "style=", "src=", "onload", "http:", "https:"} {
		if strings.Contains(body, forbidden) {
			t.Errorf("the page contains %q", forbidden)
		}
	}
}

// LEA7: what a request says is never repeated.
func TestLEA7NothingOfTheRequestIsEchoed(t *testing.T) {
	const canary = "canary7f3a"
	for _, accept := range []string{"text/html", "application/json"} {
		r := httptest.NewRequest("GET", "/"+canary+"?error_description="+canary, nil)
		r.Header = http.Header{"Accept": {accept}, "X-Canary": {canary}, "Cookie": {canary + "=" + canary}}
		r.Host = canary + ".example"
		rec := httptest.NewRecorder()
		respond.Fail(rec, r, respond.SignInInvalid, respond.Options{Login: "/.auth/login"})
		var answer bytes.Buffer
		if err := rec.Result().Write(&answer); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(answer.String(), canary) {
			t.Errorf("%s: the answer echoes the request:\n%s", accept, answer.String())
		}
	}
}

func TestMarshalEscapesEverySlashOnce(t *testing.T) {
	tests := []struct {
		v    any
		want string
	}{
		{"a/b", `"a\/b"`},
		{json.RawMessage(`"a\/b/c"`), `"a\/b\/c"`},
		{json.RawMessage(`"a\\/b"`), `"a\\\/b"`},
		{`back\`, `"back\\"`},
		{[]int{1, 2}, `[1,2]`},
	}
	for _, tt := range tests {
		got, err := respond.Marshal(tt.v)
		if err != nil || string(got) != tt.want {
			t.Errorf("Marshal(%v) = %s, %v; want %s", tt.v, got, err, tt.want)
		}
	}
	if _, err := respond.Marshal(func() {}); err == nil {
		t.Error("Marshal of a func gives no error")
	}
}

func FuzzMarshalMeansTheSame(f *testing.F) {
	f.Add(`a/b\/c`)
	f.Add(`\\/`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := respond.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var plain, back string
		text, _ := json.Marshal(s)
		if json.Unmarshal(text, &plain) != nil || json.Unmarshal(got, &back) != nil || back != plain {
			t.Errorf("Marshal(%q) = %s, which reads as %q", s, got, back)
		}
		if bytes.Count(got, []byte("/")) != bytes.Count(got, []byte(`\/`)) {
			t.Errorf("Marshal(%q) = %s leaves a slash", s, got)
		}
	})
}
