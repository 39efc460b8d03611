package devprovider

import (
	"fmt"
	"net"
	"net/url"
)

// addressBeside names what listens there so that it is another host than the
// application's: localhost, unless that is what the application calls itself.
func addressBeside(baseURL string, l net.Listener) string {
	host := "localhost"
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() == host {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("http://%s:%d", host, l.Addr().(*net.TCPAddr).Port)
}
