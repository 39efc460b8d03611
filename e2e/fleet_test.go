package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// replicas is how many processes of the application a fleet has.
const replicas = 3

// idp is a provider that a fleet can sign people in at.
type idp interface {
	flags() []string                          // of cmd/replica
	signIn(v *visitor, url, name string) page // opens a URL that leads to the provider, and signs in
	atOnce() int                              // how many people may sign in at the same time
	Secrets() []string                        // that no log may hold
}

// fleet is three processes of one application: one base URL, the same keys, one
// store. Each reaches the store by a way of its own, which can be broken.
type fleet struct {
	URL      string
	replicas [replicas]*replica

	t       testing.TB
	idp     idp
	network *balancer
	logs    logs
	mu      sync.Mutex
	jars    []*visitor
}

// newFleet chooses the addresses; see Start.
func newFleet(t testing.TB, st *sharedStore) *fleet {
	t.Helper()
	f := &fleet{t: t}
	keys := "REPLICA_KEYS=" + easyauth.NewKey().Reveal()
	for i := range f.replicas {
		r := &replica{t: t, addr: freeAddr(t), link: testserver.NewProxy(t, st.addr), logs: &f.logs, env: []string{keys}}
		r.args = []string{"-addr", r.addr, "-store", st.at(r.link.Addr())}
		f.replicas[i] = r
	}
	f.URL = "http://" + f.replicas[0].addr
	f.network = &balancer{fleet: f, next: newTransport(t)}
	return f
}

// Start starts the replicas. What they wrote is searched for secrets when the
// test ends, and shown where it fails.
func (f *fleet) Start(op idp, args ...string) {
	f.t.Helper()
	f.idp = op
	for _, r := range f.replicas {
		r.args = append(append(append(r.args, "-base-url", f.URL, sized("-v", "-v=false")), op.flags()...), args...)
		r.Start()
		f.t.Cleanup(r.Kill)
	}
	f.t.Cleanup(func() {
		if strings.Contains(f.logs.String(), "panic") {
			f.t.Error("a replica panicked")
		}
		if f.t.Failed() {
			f.t.Logf("the replicas wrote:\n%s", f.logs.String())
		}
		f.logs.mustNotHold(f.t, op, f.jars)
	})
}

// Visitor is somebody with a browser of their own, whose requests go to the
// replicas in turn.
func (f *fleet) Visitor() *visitor {
	v := newVisitorOn(f.t, f.network)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jars = append(f.jars, v)
	return v
}

// SignedIn is a visitor who has signed in.
func (f *fleet) SignedIn(name string) *visitor {
	f.t.Helper()
	v := f.Visitor()
	f.SignIn(v, name)
	return v
}

// SignedInAll are n visitors who have signed in, as user0, user1 and so on.
func (f *fleet) SignedInAll(n int) []*visitor {
	f.t.Helper()
	all := make([]*visitor, n)
	var waiting sync.WaitGroup
	turn := make(chan struct{}, f.idp.atOnce())
	for i := range all {
		waiting.Go(func() {
			turn <- struct{}{}
			all[i] = f.SignedIn(fmt.Sprintf("user%d", i))
			<-turn
		})
	}
	waiting.Wait()
	return all
}

// SignIn lets a visitor sign in, perhaps again.
func (f *fleet) SignIn(v *visitor, name string) {
	f.t.Helper()
	p := f.idp.signIn(v, f.URL+"/.auth/login/oidc?post_login_redirect_uri=/", name)
	if p.Status != http.StatusOK || !strings.HasPrefix(p.Text, "signed in as ") {
		f.t.Errorf("after the login: %d at %s: %s", p.Status, p.URL, p.Text)
	}
}

// Ask lets a visitor ask one replica as a script does.
func (f *fleet) Ask(v *visitor, replica int, path string) page {
	f.t.Helper()
	return v.read(v.askFor(context.WithValue(context.Background(), replicaKey{}, replica), f.URL+path))
}

// Try is Ask where nobody may answer: the status is 0 then.
func (f *fleet) Try(v *visitor, replica int, path string) page {
	p, err := v.askFor(context.WithValue(context.Background(), replicaKey{}, replica), f.URL+path)
	if err != nil {
		return page{Page: &providertest.Page{URL: new(url.URL)}}
	}
	return page{p, string(p.Body)}
}

// replicaKey is how a request says which replica it is for.
type replicaKey struct{}

// balancer sends the application's requests to the replicas, and all others
// where they want to go. To the application they look as if they had come to
// its own address.
type balancer struct {
	fleet *fleet
	next  *http.Transport
	turn  atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	if "http://"+r.URL.Host != b.fleet.URL {
		return b.next.RoundTrip(r)
	}
	i, chosen := r.Context().Value(replicaKey{}).(int)
	if !chosen {
		i = int(b.turn.Add(1)) % replicas
	}
	to := r.Clone(r.Context())
	to.Host = r.URL.Host
	to.URL = new(url.URL)
	*to.URL = *r.URL
	to.URL.Host = b.fleet.replicas[i].addr
	resp, err := b.next.RoundTrip(to)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}
