// Command dex is an OpenID provider that nobody on this project wrote, on a
// PostgreSQL database: the packages of Dex, set up by this program because Dex's
// own one needs a module that is not published.
//
// Its refresh tokens rotate, but within the reuse interval a used one is
// answered with what it was answered before; and a second login of one user at
// the same client deletes the refresh token of the first. It trades passwords
// for tokens, too (RFC 6749 section 4.3).
//
// It listens on a loopback port of its own choice, prints one line of JSON with
// its issuer, and ends when its standard input closes, so that no test can leave
// it behind. Everything is told by the environment:
//
//	DEX_DATABASE   postgres://user@127.0.0.1:5432/name, which Dex makes its tables in
//	DEX_REDIRECT   the application's redirect URI
//	DEX_TOKEN_TTL  life of access and ID tokens, such as 60s
//	DEX_REUSE      the reuse interval, such as 3s
//
// Beside the protocol it has the switches of e2e/op/op.mjs: /_stats, /_secrets
// and /_next.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/connectors"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/server/tokens"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/sql"
	"golang.org/x/crypto/bcrypt"
)

// What the tests know of it.
const (
	clientID     = "e2e"
	clientSecret = "e2e-secret-that-must-not-be-logged"
	password     = "any"
	people       = 400 // user0, user1 and so on, beside ada
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "dex:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// Another host than the application's: cookies ignore ports.
	issuer := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	provider, err := newServer(ctx, issuer)
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	go json.NewEncoder(os.Stdout).Encode(map[string]string{"issuer": issuer})
	return http.Serve(listener, newSwitches(provider))
}

func newServer(ctx context.Context, issuer string) (*server.Server, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ttl, err := time.ParseDuration(os.Getenv("DEX_TOKEN_TTL"))
	if err != nil {
		return nil, fmt.Errorf("DEX_TOKEN_TTL: %w", err)
	}
	rotation, err := tokens.NewRefreshTokenPolicy(log, false, "", "", os.Getenv("DEX_REUSE"))
	if err != nil {
		return nil, fmt.Errorf("DEX_REUSE: %w", err)
	}
	st, err := openStorage(log)
	if err != nil {
		return nil, fmt.Errorf("DEX_DATABASE: %w", err)
	}
	keys := signer.LocalConfig{KeysRotationPeriod: "6h"}
	sign, err := keys.Open(ctx, st, ttl, time.Now, log)
	if err != nil {
		return nil, err
	}
	return server.NewServer(ctx, server.Config{
		Issuer:             issuer,
		Storage:            st,
		Signer:             sign,
		Logger:             log,
		SkipApprovalScreen: true,
		PasswordConnector:  connectors.LocalConnector,
		IDTokensValidFor:   ttl,
		RefreshTokenPolicy: rotation,
	})
}

// openStorage is the database, with one client and a few people in front of it.
func openStorage(log *slog.Logger) (storage.Storage, error) {
	u, err := url.Parse(os.Getenv("DEX_DATABASE"))
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return nil, err
	}
	secret, _ := u.User.Password()
	db := sql.Postgres{
		NetworkDB: sql.NetworkDB{Host: u.Hostname(), Port: uint16(port), User: u.User.Username(), Password: secret, Database: u.Path[1:]},
		SSL:       sql.SSL{Mode: "disable"},
	}
	st, err := db.Open(log)
	if err != nil {
		return nil, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost) // Dex takes nothing cheaper
	if err != nil {
		return nil, err
	}
	passwords := []storage.Password{person("ada", hash)}
	for i := range people {
		passwords = append(passwords, person(fmt.Sprintf("user%d", i), hash))
	}
	st = storage.WithStaticClients(st, []storage.Client{{
		ID: clientID, Secret: clientSecret, Name: "Application", RedirectURIs: []string{os.Getenv("DEX_REDIRECT")},
	}})
	st = storage.WithStaticPasswords(st, passwords, log)
	return storage.WithStaticConnectors(st, []storage.Connector{{
		ID: connectors.LocalConnector, Name: "Email", Type: connectors.LocalConnector,
	}}), nil
}

func person(name string, hash []byte) storage.Password {
	return storage.Password{Email: name + "@example.com", Username: name, Name: "Person " + name, UserID: name, Hash: hash}
}
