package grant_test

import (
	"fmt"

	"github.com/goeasyauth/easyauth/session/grant"
)

// One refresh token serves several resources. An audience is named by the
// resource (RFC 8707) or by its scopes, whichever the provider goes by.
func ExampleAudience() {
	graph := grant.Scopes("https://graph.microsoft.com/User.Read", "offline_access")
	same := grant.Scopes("offline_access", "https://graph.microsoft.com/User.Read")
	billing := grant.Resource("https://billing.example")
	fmt.Println(graph == same, graph == billing)
	// Output: true false
}
