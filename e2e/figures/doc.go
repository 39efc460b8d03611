// Package figures holds what easyauth promises in numbers, measured on real
// servers: how often a request asks the store, how many of a thousand requests
// call the provider, how long the others wait, how fast all of it is.
//
// The replicas of an application are so many [easyauth.Auth] values in one test
// process, each with a client of its own for the Redis or PostgreSQL server that
// they share; the provider is that of package providertest. What has to happen to
// processes (crashes, signals, cut connections) is in package e2e.
//
// Counts are asserted. Times are printed, with go test -v, and asserted only as
// far as any machine must be able to keep them. With EASYAUTH_SOAK=1 in the
// environment every test has its full size.
//
// [easyauth.Auth]: https://pkg.go.dev/github.com/goeasyauth/easyauth#Auth
package figures
