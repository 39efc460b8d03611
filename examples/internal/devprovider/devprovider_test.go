package devprovider_test

import (
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestTheProviderNeverSharesTheApplicationsHost(t *testing.T) {
	for _, base := range []string{"http://127.0.0.1:8080", "http://localhost:8080", "https://app.example", "http://[::1]:8080"} {
		p := start(t, base, 0)
		issuer, err := url.Parse(p.Server.Issuer())
		if err != nil {
			t.Fatal(err)
		}
		if app, _ := url.Parse(base); app.Hostname() == issuer.Hostname() {
			t.Errorf("beside %s the provider is %s: a browser mixes their cookies", base, issuer)
		}
		resp, err := http.Get(issuer.String() + "/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("at %s discovery answers %d", issuer, resp.StatusCode)
		}
	}
}

func TestATakenPortIsNoObstacle(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	start(t, "http://127.0.0.1:8080", taken.Addr().(*net.TCPAddr).Port)
}

// TestTheBuiltInProviderIsFoundAtTheSameAddressAfterARestart, because its
// address is its issuer, and an issuer is part of who somebody is.
func TestTheBuiltInProviderIsFoundAtTheSameAddressAfterARestart(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:8080": 8081, "127.0.0.1:0": 0, "127.0.0.1:65535": 0, "127.0.0.1:http": 0} {
		if got := devprovider.PortBeside(addr); got != want {
			t.Errorf("beside %s the provider takes port %d, want %d", addr, got, want)
		}
	}
}

func start(t *testing.T, base string, port int) *devprovider.Provider {
	t.Helper()
	p, err := devprovider.Start(base, port, "", providertest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
