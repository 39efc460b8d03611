// Gateway puts the whole contract of Azure App Service authentication in front
// of any application, in any language: it serves /.auth/*, lets in who may come
// in, and tells the application by headers who that is.
//
//	go run ./examples/gateway -config auth.json -upstream http://127.0.0.1:9000
//
// The application behind it reads X-MS-CLIENT-PRINCIPAL and the headers beside
// it, as it does on App Service, and must be reachable through the gateway only:
// whoever gets past it can forge them. With -dev nobody needs a registration: a
// development provider signs people in under every name that auth.json
// configures, without a password.
//
// The secrets that auth.json names are read from the environment, as are the
// keys, WEBSITE_AUTH_ENCRYPTION_KEY and WEBSITE_AUTH_SIGNING_KEY.
//
// Reading order: settings.go makes a configuration of the flags, auth.json and
// the environment, gateway.go wires it, proxy.go passes requests on, forwarded.go
// is what an application may believe about where they came from.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
