package providertest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauth1Header reads the parameters of an Authorization header (RFC 5849
// section 3.5.1).
func oauth1Header(header string) (url.Values, bool) {
	scheme, list, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil, false
	}
	params := url.Values{}
	for _, pair := range strings.Split(list, ",") {
		name, quoted, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value, err := url.PathUnescape(strings.Trim(quoted, `"`))
		if err != nil || params.Has(name) {
			return nil, false
		}
		params.Set(name, value)
	}
	return params, true
}

// oauth1Signed reports whether the request bears the HMAC-SHA1 signature of
// these secrets (RFC 5849 section 3.4). base is the server's own address.
func oauth1Signed(base string, r *http.Request, oauth url.Values, consumerSecret, tokenSecret string) bool {
	if oauth.Get("oauth_signature_method") != "HMAC-SHA1" || oauth.Get("oauth_version") != "1.0" {
		return false
	}
	var pairs []string
	for _, params := range []url.Values{oauth, r.URL.Query(), r.PostForm} {
		for name, values := range params {
			if name == "oauth_signature" || name == "realm" {
				continue
			}
			for _, v := range values {
				pairs = append(pairs, oauth1Escape(name)+"="+oauth1Escape(v))
			}
		}
	}
	slices.Sort(pairs)
	text := r.Method + "&" + oauth1Escape(base+r.URL.Path) + "&" + oauth1Escape(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(oauth1Escape(consumerSecret)+"&"+oauth1Escape(tokenSecret)))
	mac.Write([]byte(text))
	given, err := base64.StdEncoding.Strict().DecodeString(oauth.Get("oauth_signature"))
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}

// oauth1Escape escapes everything but the unreserved characters of RFC 3986
// (RFC 5849 section 3.6).
func oauth1Escape(s string) string {
	return strings.NewReplacer("+", "%20", "%7E", "~").Replace(url.QueryEscape(s))
}

// oauth1Recent reports whether a timestamp is within five minutes of now.
func oauth1Recent(timestamp string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && now.Sub(time.Unix(seconds, 0)).Abs() <= 5*time.Minute
}
