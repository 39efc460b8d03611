package devprovider

import (
	"fmt"
	"net/url"
)

// issuerBeside names the provider at port so that it is another host than the
// application's: localhost, unless that is what the application calls itself.
func issuerBeside(baseURL string, port int) string {
	host := "localhost"
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() == host {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("http://%s:%d", host, port)
}
