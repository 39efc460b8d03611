// Package e2e holds the tests against parts that nobody on this project wrote:
// the npm package oidc-provider with strict rotation, Dex, Redis, Postgres and a
// real browser. The tests start and stop them all; [cmd/parts] brings them.
//
// Azure App Service is not among them, but its clients are: azureclient signs in
// with Azure Mobile Apps, the client that Microsoft publishes for pages and Node.js,
// and hands its session tokens to the server of the same product. Behind the
// gateway stand two applications, one in Python and one for Node.js, that know
// nothing of easyauth and read the headers that App Service sets.
//
// What several processes of one application have to get right is tested with a
// fleet of them (cmd/replica), each on its own way to the store: stopped, killed
// and cut off at exact points of a refresh. With EASYAUTH_SOAK=1 those tests run
// in full size, for hours.
//
// Everything listens on loopback. The provider is called localhost and the
// application 127.0.0.1, because cookies ignore ports: on one host each would
// see the other's.
//
// [cmd/parts]: https://pkg.go.dev/github.com/goeasyauth/easyauth/e2e/cmd/parts
package e2e
