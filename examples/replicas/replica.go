package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/serve"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// replicaOptions tell a process of the fleet who it is.
type replicaOptions struct{ addr, base, issuer string }

const internal = "for the processes that replicas starts"

func (o *replicaOptions) register(flags *flag.FlagSet) {
	flags.StringVar(&o.addr, "replica", "", internal)
	flags.StringVar(&o.base, "base", "", internal)
	flags.StringVar(&o.issuer, "issuer", "", internal)
}

// keysVariable carries the keys to the replicas: other users of the machine can
// read command lines.
const keysVariable = "REPLICAS_KEYS"

// serveReplica is the application, as it runs three times: everything that the
// processes share is in Redis.
func serveReplica(ctx context.Context, o options, stdout io.Writer) error {
	at, err := redis.ParseURL(o.redis)
	if err != nil {
		return errors.New("-redis: not a Redis URL, such as redis://127.0.0.1:6379")
	}
	at.ContextTimeoutEnabled = true
	client := redis.NewClient(at)
	defer client.Close()
	rows := redisstore.New(client)
	defer rows.Close()

	op, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         devprovider.Name,
		Issuer:       o.replica.issuer,
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		Scopes:       []string{"openid", "profile", "offline_access"},
		Refresh:      policies[o.rotation],
		Quirks:       providers.Quirks{OfflineWithoutConsent: true},
	})
	if err != nil {
		return err
	}
	keys, err := easyauth.ParseKeys(os.Getenv(keysVariable))
	if err != nil {
		return err
	}
	auth, err := easyauth.New(easyauth.Config{
		BaseURL:   o.replica.base,
		Providers: []providers.Provider{op},
		Store:     rows,
		Keys:      keys,
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return err
	}
	defer auth.Close()

	listener, err := net.Listen("tcp", o.replica.addr)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "ready")
	ctx, stop := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, os.Stdin) // ends when the fleet does, however it ends
		stop()
	}()
	return serve.HTTP(ctx, listener, clocked(auth.Wrap(auth.RequireToken(http.HandlerFunc(whoami)))))
}

// policies are the replay classes that go with -rotation.
var policies = map[providertest.Rotation]providers.RefreshPolicy{
	providertest.Strict:   {Class: providers.Strict},
	providertest.Graced:   {Class: providers.Graced, Window: graceWindow},
	providertest.Reusable: {Class: providers.Reusable},
}

const graceWindow = 30 * time.Second

// waitedHeader tells how long a request was on its way to its handler: renewing
// the access token, or waiting for who did.
const waitedHeader = "Waited"

type arrival struct{}

func clocked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), arrival{}, time.Now())))
	})
}

// whoami is the handler: it finds a signed-in user with a fresh access token.
func whoami(w http.ResponseWriter, r *http.Request) {
	began := r.Context().Value(arrival{}).(time.Time)
	w.Header().Set(waitedHeader, time.Since(began).String())
	s, _ := session.FromContext(r.Context())
	token, err := s.Token(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	sum := sha256.Sum256([]byte(token.AccessToken))
	fmt.Fprintf(w, "%s %s\n", s.User.ID, hex.EncodeToString(sum[:8]))
}
