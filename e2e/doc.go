// Package e2e holds the tests against parts that nobody on this project wrote:
// the npm package oidc-provider with strict rotation, and a real browser. The
// tests start and stop both themselves; [cmd/parts] brings them.
//
// Everything listens on loopback. The provider is called localhost and the
// application 127.0.0.1, because cookies ignore ports: on one host each would
// see the other's.
//
// [cmd/parts]: https://pkg.go.dev/github.com/goeasyauth/easyauth/e2e/cmd/parts
package e2e
