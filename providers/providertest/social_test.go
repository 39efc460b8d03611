package providertest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Who a user of GitHub is, is asked for with the token; an error has status 200.
func ExampleNewGitHub() {
	op := providertest.NewGitHub(providertest.GitHubConfig{})
	authorize := op.URL() + "/login/oauth/authorize?" + url.Values{
		"client_id": {providertest.ClientID}, "response_type": {"code"}, "redirect_uri": {"https://app.example/callback"}, "state": {"s"},
	}.Encode()
	response, err := op.Authorize(authorize, "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	redeem := func() {
		res, err := op.Client().PostForm(op.URL()+"/login/oauth/access_token", url.Values{
			"client_id": {providertest.ClientID}, "client_secret": {providertest.ClientSecret},
			"code": {response.Get("code")}, "redirect_uri": {"https://app.example/callback"},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		form, _ := url.ParseQuery(string(body))
		fmt.Printf("%d %q %q\n", res.StatusCode, form.Get("token_type"), form.Get("error"))
	}
	redeem()
	redeem() // a code works once
	// Output:
	// 200 "bearer" ""
	// 200 "" "bad_verification_code"
}

// A token of a mobile application, and what Facebook says of it.
func ExampleFacebook_Token() {
	op := providertest.NewFacebook(providertest.FacebookConfig{})
	req, _ := http.NewRequest(http.MethodGet, op.URL()+"/v25.0/debug_token?input_token="+op.Token("alice", "email"), nil)
	req.Header.Set("Authorization", "Bearer "+providertest.ClientID+"|"+providertest.ClientSecret)
	res, err := op.Client().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var answer struct {
		Data struct {
			AppID  string `json:"app_id"`
			UserID string `json:"user_id"`
			Valid  bool   `json:"is_valid"`
		}
	}
	err = json.NewDecoder(res.Body).Decode(&answer)
	fmt.Println(answer.Data.AppID, answer.Data.UserID == op.UserID("alice"), answer.Data.Valid, err)
	// Output: app true true <nil>
}

// A person who does not agree.
func ExampleSocial_Deny() {
	op := providertest.NewGitHub(providertest.GitHubConfig{})
	response, err := op.Deny(op.URL() + "/login/oauth/authorize?" + url.Values{
		"client_id": {providertest.ClientID}, "response_type": {"code"}, "redirect_uri": {"https://app.example/callback"}, "state": {"s"},
	}.Encode())
	fmt.Println(response.Get("error"), response.Get("state"), err)
	// Output: access_denied s <nil>
}

// TestTwitterKnowsTheSignatureOfItsOwnDocumentation: the published example of a
// request token ("Implementing Sign in with Twitter") is signed as it should be,
// and only too old.
func TestTwitterKnowsTheSignatureOfItsOwnDocumentation(t *testing.T) {
	for signature, want := range map[string]string{
		"F1Li3tvehgcraF8DMJ7OyxO4w9Y%3D": "135", // Timestamp out of bounds
		"G1Li3tvehgcraF8DMJ7OyxO4w9Y%3D": "32",  // Could not authenticate you
	} {
		op := providertest.NewTwitter(providertest.TwitterConfig{
			URL: "https://api.twitter.com", ConsumerKey: "cChZNFj6T5R0TigYB9yd1w", ConsumerSecret: "L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg",
		})
		req, _ := http.NewRequest(http.MethodPost, op.URL()+"/oauth/request_token", nil)
		req.Header.Set("Authorization", `OAuth oauth_callback="http%3A%2F%2Flocalhost%2Fsign-in-with-twitter%2F", `+
			`oauth_consumer_key="cChZNFj6T5R0TigYB9yd1w", oauth_nonce="ea9ec8429b68d6b77cd5600adbbb0456", oauth_signature="`+signature+`", `+
			`oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318467427", oauth_version="1.0"`)
		res, err := op.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized || !strings.Contains(string(body), `"code":`+want+`,`) {
			t.Errorf("%s: %d %s", signature, res.StatusCode, body)
		}
	}
}

// TestSocialPagesAskWhoItIs, and a person may say no; a form of another site is
// refused.
func TestSocialPagesAskWhoItIs(t *testing.T) {
	op := providertest.NewGitHub(providertest.GitHubConfig{})
	var came url.Values
	network := providertest.NewNetwork(map[string]http.Handler{
		op.Host():      op,
		"app.example":  http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { came = r.URL.Query() }),
		"evil.example": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }),
	})
	authorize := op.URL() + "/login/oauth/authorize?" + url.Values{
		"client_id": {providertest.ClientID}, "response_type": {"code"}, "redirect_uri": {"https://app.example/callback?a=b"}, "state": {"s"}, "scope": {"repo"},
	}.Encode()
	browser := providertest.NewBrowser(network)
	page, err := browser.Open(authorize)
	if err != nil {
		t.Fatal(err)
	}
	form := page.Forms()[0]
	form.Values.Set("action", "deny")
	if _, err := browser.Submit(form); err != nil || came.Get("error") != "access_denied" || came.Get("a") != "b" {
		t.Errorf("the application got %v, %v", came, err)
	}
	if _, err := browser.SignIn(authorize, "alice"); err != nil || came.Get("code") == "" {
		t.Errorf("the application got %v, %v", came, err)
	}

	if _, err := browser.Open("https://evil.example/"); err != nil {
		t.Fatal(err)
	}
	form.Values.Set("action", "allow")
	form.Values.Set("user", "alice")
	if page, err = browser.Submit(form); err != nil || page.Status != http.StatusForbidden {
		t.Errorf("a foreign form got %v, %v", page.Status, err)
	}
	for _, change := range []string{"client_id=another", "response_type=token", "redirect_uri=%2Fcallback", "code_challenge=x&code_challenge_method=plain"} {
		name, _, _ := strings.Cut(change, "=")
		u, _ := url.Parse(authorize)
		q := u.Query()
		q.Del(name)
		if _, err := op.Authorize(op.URL()+"/login/oauth/authorize?"+q.Encode()+"&"+change, "alice"); err == nil {
			t.Errorf("%s is accepted", change)
		}
	}
}

// TestTwitterRefusesWhatIsNotSigned.
func TestTwitterRefusesWhatIsNotSigned(t *testing.T) {
	op := providertest.NewTwitter(providertest.TwitterConfig{})
	for _, header := range []string{"", "Bearer x", `OAuth oauth_consumer_key="app"`, `OAuth a="%zz"`} {
		req, _ := http.NewRequest(http.MethodGet, op.URL()+"/1.1/account/verify_credentials.json", nil)
		req.Header.Set("Authorization", header)
		res, err := op.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, res.StatusCode)
		}
	}
}
