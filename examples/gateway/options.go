package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/goeasyauth/easyauth/examples/internal/openstore"
)

// options are the command line, read and checked.
type options struct {
	config   string // auth.json; empty: nobody is turned away, and -dev signs people in
	upstream *url.URL
	addr     string
	baseURL  string // empty: WEBSITE_HOSTNAME, or http at the address that is listened on
	store    openstore.Spec
	keysFile string         // empty: beside the store
	proxies  []netip.Prefix // who may say how a request came to them
	dev      bool
	debug    bool
}

// parseOptions reads the arguments. -help writes the usage to help and gives
// flag.ErrHelp; every other error fits on one line.
func parseOptions(args []string, help io.Writer) (options, error) {
	opts := options{store: openstore.Spec{Store: "memory"}}
	var upstream, proxies string

	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&opts.config, "config", "", "`auth.json` of the application, as for App Service")
	flags.StringVar(&upstream, "upstream", "", "`URL` of the application behind the gateway, such as http://127.0.0.1:9000")
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:8080", "listen on this `host:port`; port 0 takes a free one")
	flags.StringVar(&opts.baseURL, "base-url", "", "public `URL` of the application (default https at WEBSITE_HOSTNAME, or http at -addr)")
	opts.store.Flags(flags, "")
	flags.StringVar(&opts.keysFile, "keys", "", "`file` of the keys that the environment does not give, made if absent (default beside the store)")
	flags.StringVar(&proxies, "trusted-proxies", "", "`addresses` of the proxies in front of the gateway, as 10.0.0.0/8,192.0.2.1: only theirs are the X-Forwarded headers that count")
	flags.BoolVar(&opts.dev, "dev", false, "sign people in with a development provider, which asks for no password; on this computer only")
	flags.BoolVar(&opts.debug, "v", false, "log at debug level")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			fmt.Fprintln(help, "Gateway puts App Service authentication in front of an application. Flags:")
			flags.PrintDefaults()
		}
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q: gateway takes flags only", flags.Arg(0))
	}
	var err error
	if opts.upstream, err = parseUpstream(upstream); err != nil {
		return options{}, err
	}
	if opts.proxies, err = parseProxies(proxies); err != nil {
		return options{}, err
	}
	return opts, opts.check()
}

func (o options) check() error {
	if _, _, err := net.SplitHostPort(o.addr); err != nil {
		return fmt.Errorf("-addr %q is not host:port", o.addr)
	}
	if o.config == "" && !o.dev {
		return errors.New("nobody could sign in: give -config auth.json, or -dev for the development provider")
	}
	return o.store.Check()
}

// parseUpstream takes an origin. With a path in it the application's own links,
// redirects and cookies would lead past it.
func parseUpstream(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("-upstream is missing: name the application behind the gateway, such as http://127.0.0.1:9000")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("-upstream is not an http or https URL, such as http://127.0.0.1:9000")
	case u.User != nil, strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, errors.New("-upstream has more than a scheme, a host and a port: write it as http://127.0.0.1:9000")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func parseProxies(list string) ([]netip.Prefix, error) {
	var trusted []netip.Prefix
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(entry)
		if addr, addrErr := netip.ParseAddr(entry); addrErr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("-trusted-proxies: %q is neither an address nor a network, such as 10.0.0.0/8", entry)
		case prefix.Bits() == 0:
			return nil, fmt.Errorf("-trusted-proxies: %q is everybody, who could then say anything: name the proxies", entry)
		}
		trusted = append(trusted, prefix.Masked())
	}
	return trusted, nil
}
