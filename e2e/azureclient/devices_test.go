package azureclient_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestContract15DeviceTradesItsCode(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	for _, d := range sdks {
		for _, key := range []struct{ verifier, challenge string }{ // standard Base64 with padding, and the vectors of their tests
			{"67890", "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0="},
			{"abcde", "NrvlDtloQdEEQ7y2cNZVTwo0t2G+Z+ycSorSwMRMpCw="},
			{"+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=", "wIcXun55F2nR1GXEPjUHcUyb/yFV+CU5ScnfHDlW5ks="},
		} {
			t.Run(d.name+" "+key.verifier, func(t *testing.T) {
				t.Parallel()
				address := s.Person(t).SignIn(d.start(s.URL, "google", key.challenge), "ada")
				s.Issued(d.code(address))
				if !strings.HasPrefix(strings.ToLower(address), appScheme+"/#authorization_code=") {
					t.Fatalf("contract 1.5: the application was opened with %.60s", address)
				}
				status, body := s.exchange(t, "google", d.code(address), key.verifier)
				if status != http.StatusOK {
					t.Fatalf("%d for a code of a moment ago: %s", status, body)
				}
				s.mustBeLogin(t, body)
				if status, _ := s.exchange(t, "google", d.code(address), key.verifier); status != http.StatusBadRequest {
					t.Errorf("%d for a code that was traded before", status)
				}
			})
		}
	}
}

func TestContract15CodeIsOfNoUseToOthers(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	const verifier, challenge = "67890", "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0="
	d := sdks[0]
	begin := func(t *testing.T) string {
		return d.code(s.Person(t).SignIn(d.start(s.URL, "google", challenge), "ada"))
	}
	t.Run("with another verifier, and it is spent then", func(t *testing.T) {
		code := begin(t)
		for _, v := range []string{"abcde", verifier} {
			if status, body := s.exchange(t, "google", code, v); status != http.StatusBadRequest {
				t.Errorf("%d with the verifier %s: %s", status, v, body)
			}
		}
	})
	t.Run("at another provider", func(t *testing.T) {
		if status, body := s.exchange(t, "aad", begin(t), verifier); status != http.StatusBadRequest {
			t.Errorf("%d: %s", status, body)
		}
	})
	t.Run("as a session token", func(t *testing.T) {
		req, _ := http.NewRequest(http.MethodGet, s.URL+"/api/whoami", nil)
		req.Header.Set("X-ZUMO-AUTH", begin(t))
		if status, body := s.ask(t, req); status != http.StatusUnauthorized {
			t.Errorf("%d: %s", status, body)
		}
	})
	t.Run("RED8: in an application that nobody registered", func(t *testing.T) {
		evil := sdk{redirect: "evil://easyauth.callback", mode: "token"}
		if address := s.Person(t).SignIn(evil.start(s.URL, "google", challenge), "ada"); strings.HasPrefix(address, "evil:") {
			t.Errorf("it was opened with %.40s", address)
		}
	})
}

// A device's own browser shows the sign-in: the application hears of a user who
// declined only where it is opened, and every SDK ends its sign-in by that.
func TestContract15DeclinedDeviceIsTold(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	for _, d := range sdks {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			address := s.Person(t).Decline(d.start(s.URL, "google", "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0="))
			if !strings.HasPrefix(strings.ToLower(address), appScheme+"/#error=") || !strings.Contains(d.result(address, "#error="), " ") {
				t.Errorf("the application is not told: %.90s", address)
			}
		})
	}
}

// Contract 1.3: the web views of the SDKs watch for the page at which a sign-in
// in token mode ends, and read its fragment.
func TestContract13WebViewFindsTheToken(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	for _, d := range sdks {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			start := s.URL + "/.auth/login/google?session_mode=token"
			address := s.Person(t).SignIn(start, "ada")
			if !strings.HasPrefix(strings.ToLower(address), s.URL+"/.auth/login/done#") {
				t.Fatalf("the web view waits for another page than %.60s", address)
			}
			s.mustBeLogin(t, []byte(d.result(address, "#token=")))

			address = s.Person(t).Decline(start)
			if text := d.result(address, "#error="); !strings.Contains(text, " ") {
				t.Errorf("what the program shows of a user who declined: %q", text)
			}
		})
	}
}

// Contract 1.8: what RefreshUser of the SDKs sends, and what each demands of the
// answer: iOS exactly 200, iOS and Android both members, all of them a new token.
func TestContract18DeviceRefreshesItsToken(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	address := s.Person(t).SignIn(s.URL+"/.auth/login/google?session_mode=token", "ada")
	var before, renewed login
	if err := json.Unmarshal([]byte(unescape(after(address, "#token="))), &before); err != nil {
		t.Fatal(err)
	}
	s.Issued(before.AuthenticationToken)
	req, _ := http.NewRequest(http.MethodGet, s.URL+"/.auth/refresh", nil)
	for name, value := range map[string]string{
		"X-ZUMO-AUTH": before.AuthenticationToken, "X-ZUMO-FEATURES": "RT", "X-ZUMO-INSTALLATION-ID": "0d5b1b1c-6b0e-4b0e-9d4b-2d7d9c5f3b11",
		"X-ZUMO-VERSION": "ZUMO/4.0 (lang=Managed; os=; os_version=; arch=; version=4.0)", "ZUMO-API-VERSION": "2.0.0", "Accept": "application/json",
	} {
		req.Header.Set(name, value)
	}
	status, body := s.ask(t, req)
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, body)
	}
	s.mustBeLogin(t, body)
	if err := json.Unmarshal(body, &renewed); err != nil || renewed.User != before.User {
		t.Errorf("%v: %v became %v", err, before.User, renewed.User)
	}
}

// login is what every SDK reads: two strings.
type login struct {
	AuthenticationToken string
	User                struct{ UserID string }
}

// exchange trades a code, which is as it stands in a query.
func (s *service) exchange(t *testing.T, provider, code, verifier string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL+"/.auth/login/"+provider+"/token?authorization_code="+code+
		"&code_verifier="+url.QueryEscape(verifier)+"&access_type=offline", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.ask(t, req)
}

func (s *service) ask(t *testing.T, req *http.Request) (int, []byte) {
	t.Helper()
	answer, err := s.network(t).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

// mustBeLogin demands what the SDKs do, and that the token is one.
func (s *service) mustBeLogin(t *testing.T, body []byte) {
	t.Helper()
	var l login
	if err := json.Unmarshal(body, &l); err != nil || !sid.MatchString(l.User.UserID) {
		t.Fatalf("no login for an SDK (%v): %s", err, body)
	}
	s.Issued(l.AuthenticationToken)
	req, _ := http.NewRequest(http.MethodGet, s.URL+"/api/whoami", nil)
	req.Header.Set("X-ZUMO-AUTH", l.AuthenticationToken)
	if status, body := s.ask(t, req); status != http.StatusOK || !strings.Contains(string(body), l.User.UserID) {
		t.Errorf("the API takes %s for %d %s", l.User.UserID, status, body)
	}
}
