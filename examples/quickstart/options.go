package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/examples/internal/openstore"
	"github.com/goeasyauth/easyauth/providers"
)

// options are the command line, read and checked.
type options struct {
	addr    string
	baseURL string // empty: http at the address that is listened on

	issuer       string // empty: the development provider
	clientID     string
	clientSecret providers.Secret
	scopes       []string

	store    openstore.Spec
	keysFile string
	cacheDir string // of quickstart, for files that nobody named; empty where all were

	session time.Duration
	grace   time.Duration // negative: none
	debug   bool

	// What the development provider does; no flags, only tests are in a hurry.
	tokenLifetime time.Duration
	outage        time.Duration
}

// secretVariable is where -client-secret may come from instead, because other
// users of the machine can read command lines.
const secretVariable = "QUICKSTART_CLIENT_SECRET"

// parseOptions reads the arguments. -help writes the usage to help and gives
// flag.ErrHelp; every other error fits on one line.
func parseOptions(args []string, help io.Writer) (options, error) {
	opts := options{tokenLifetime: time.Minute, outage: 30 * time.Second}
	var secret, scopes string

	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:8080", "listen on this `host:port`; port 0 takes a free one")
	flags.StringVar(&opts.baseURL, "base-url", "", "public `URL` of the application (default http at -addr)")
	flags.StringVar(&opts.issuer, "issuer", "", "sign in with the OpenID Connect provider at this `URL`, under the name oidc, instead of the built-in one")
	flags.StringVar(&opts.clientID, "client-id", "", "client `id` at that provider")
	flags.StringVar(&secret, "client-secret", "", "client `secret` at that provider (or set "+secretVariable+")")
	flags.StringVar(&scopes, "scopes", "openid profile email offline_access", "`scopes` to ask that provider for")
	opts.store.Flags(flags, "(default a file in the user's cache directory)")
	flags.StringVar(&opts.keysFile, "keys", "", "`file` of sealing keys, newest first, made if absent (default a file in the user's cache directory)")
	flags.DurationVar(&opts.session, "session", 8*time.Hour, "how long a session lasts")
	flags.DurationVar(&opts.grace, "grace", 72*time.Hour, "how long after that the provider may renew it without the user")
	flags.BoolVar(&opts.debug, "v", false, "log at debug level")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			fmt.Fprintln(help, "Quickstart signs you in and keeps you signed in. Flags, all optional:")
			flags.PrintDefaults()
		}
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q: quickstart takes flags only", flags.Arg(0))
	}

	opts.scopes = strings.Fields(scopes)
	opts.clientSecret = providers.NewSecret(cmp.Or(secret, os.Getenv(secretVariable)))
	if err := opts.check(); err != nil {
		return options{}, err
	}
	if opts.grace == 0 {
		opts.grace = -1 // 0 would be the library's default
	}
	if opts.issuer == "" {
		for _, name := range []string{"client-id", "client-secret", "scopes"} {
			if isSet(flags, name) {
				return options{}, fmt.Errorf("-%s belongs to a real provider: name it with -issuer", name)
			}
		}
	}
	return opts, opts.placeFiles()
}

func (o *options) check() error {
	if _, _, err := net.SplitHostPort(o.addr); err != nil {
		return fmt.Errorf("-addr %q is not host:port", o.addr)
	}
	switch {
	case o.baseURL != "" && !isWebURL(o.baseURL):
		return fmt.Errorf("-base-url %q is not an http or https URL", o.baseURL)
	case o.issuer != "" && !isWebURL(o.issuer):
		return fmt.Errorf("-issuer %q is not an http or https URL", o.issuer)
	case o.issuer != "" && (o.clientID == "" || o.clientSecret.IsZero()):
		return errors.New("-issuer needs -client-id and -client-secret: what the provider gave this application")
	case o.session <= 0:
		return errors.New("-session must be longer than nothing, such as 8h")
	case o.grace < 0:
		return errors.New("-grace cannot be negative; 0s switches the grace period off")
	}
	return nil
}

// placeFiles says where the files are that were not named, and checks -store.
func (o *options) placeFiles() error {
	if o.store.Store == "" || o.keysFile == "" || o.remembers() && o.store.File() == "" {
		cache, err := os.UserCacheDir()
		if err == nil {
			o.cacheDir = filepath.Join(cache, "easyauth-quickstart")
			err = os.MkdirAll(o.cacheDir, 0o700)
		}
		if err != nil {
			return fmt.Errorf("no cache directory (%w): name the files with -store and -keys", err)
		}
	}
	o.store.Store = cmp.Or(o.store.Store, "sqlite:"+filepath.Join(o.cacheDir, "sessions.db"))
	o.keysFile = cmp.Or(o.keysFile, filepath.Join(o.cacheDir, "keys"))
	return o.store.Check()
}

// remembers reports whether the development provider has to outlive this
// program, because sessions do that live by its grants.
func (o *options) remembers() bool { return o.issuer == "" && o.store.Lasting() }

func isWebURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

func isSet(flags *flag.FlagSet, name string) bool {
	set := false
	flags.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}
