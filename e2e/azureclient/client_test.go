package azureclient_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// client is azure-mobile-apps-client, wherever it runs.
type client struct {
	t       testing.TB
	service *service
	perform func(call string, args []any) outcome
}

// outcome is what became of a call.
type outcome struct {
	Value json.RawMessage
	Error *struct {
		Message string // what the program would show
		Status  int
		Body    string
	}
}

// user is what the client has of who is signed in.
type user struct {
	ID    string `json:"userId"`
	Token string `json:"mobileServiceAuthenticationToken"`
}

// startClient starts one in Node.js.
func startClient(t testing.TB, s *service) *client {
	t.Helper()
	p := startProcess(t, "node.js", []string{s.URL}, []string{"NODE_EXTRA_CA_CERTS=" + s.cert.File})
	return &client{t, s, func(call string, args []any) (o outcome) {
		t.Helper()
		p.Write(map[string]any{"call": call, "args": args})
		p.Read(&o)
		return o
	}}
}

// Must is a call that succeeds.
func (c *client) Must(into any, call string, args ...any) {
	c.t.Helper()
	c.perform(call, append([]any{}, args...)).mustRead(c.t, into)
}

// mustRead demands that the call succeeded.
func (o outcome) mustRead(t testing.TB, into any) {
	t.Helper()
	if o.Error != nil {
		t.Fatalf("the call failed: %s (%d)\n%s", o.Error.Message, o.Error.Status, o.Error.Body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(o.Value, into); err != nil {
		t.Fatalf("%v: %s", err, o.Value)
	}
}

// Fails is a call that is refused with this status, and of which the program
// shows a text that holds message.
func (c *client) Fails(status int, message string, call string, args ...any) {
	c.t.Helper()
	o := c.perform(call, append([]any{}, args...))
	switch {
	case o.Error == nil:
		c.t.Fatalf("%s succeeded: %s", call, o.Value)
	case o.Error.Status != status:
		c.t.Errorf("%s failed with %d (%s), want %d", call, o.Error.Status, o.Error.Message, status)
	case !strings.Contains(o.Error.Message, message):
		c.t.Errorf("%s: the program shows %q, want %q\n%s", call, o.Error.Message, message, o.Error.Body)
	}
}

// SignsIn is a call that signs somebody in.
func (c *client) SignsIn(call string, args ...any) user {
	c.t.Helper()
	var u user
	c.Must(&u, call, args...)
	c.mustBeUser(u)
	return u
}

var sid = regexp.MustCompile(`^sid:[0-9a-f]{32}$`)

// mustBeUser demands what every SDK does: both members, and each a string.
func (c *client) mustBeUser(u user) {
	c.t.Helper()
	c.service.Issued(u.Token)
	if !sid.MatchString(u.ID) || strings.Count(u.Token, ".") != 2 {
		c.t.Errorf("signed in as %q with a token of %d parts", u.ID, 1+strings.Count(u.Token, "."))
	}
}

// Whoami asks the API, as whom the service takes the caller for.
func (c *client) Whoami() (who struct {
	Status int
	Result struct{ UserID, Subject, Provider string }
}) {
	c.t.Helper()
	c.Must(&who, "invokeApi", "whoami", map[string]string{"method": "GET"})
	return who
}
