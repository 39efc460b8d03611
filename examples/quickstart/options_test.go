package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhatCannotWorkIsOneLineAndStatus2 runs the program with each mistake.
func TestWhatCannotWorkIsOneLineAndStatus2(t *testing.T) {
	home(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	badKeys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(badKeys, []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	noFolder := filepath.Join(t.TempDir(), "nowhere", "file")
	real := []string{"-issuer", "https://id.example", "-client-id", "me", "-client-secret", "hush"}

	for name, row := range map[string]struct {
		args []string
		says string
	}{
		"unknown flag":                 {[]string{"-colour", "red"}, "-colour"},
		"flag without value":           {[]string{"-addr"}, "-addr"},
		"argument":                     {[]string{"serve"}, `unexpected argument "serve"`},
		"address without port":         {[]string{"-addr", "localhost"}, "-addr"},
		"address in use":               {[]string{"-addr", taken.Addr().String()}, "-addr"},
		"duration without unit":        {[]string{"-session", "8"}, "-session"},
		"session of no length":         {[]string{"-session", "0s"}, "-session"},
		"negative grace":               {[]string{"-grace", "-1h"}, "-grace"},
		"unknown store":                {[]string{"-store", "etcd://127.0.0.1"}, "-store"},
		"redis that is not there":      {[]string{"-store", "redis://:hush@127.0.0.1:1"}, "is it running"},
		"redis of another kind":        {[]string{"-store", "redis+raft://:hush@127.0.0.1:1"}, "redis+cluster://"},
		"redis with a mistake":         {[]string{"-store", "redis://:hush@127.0.0.1:1/nine"}, "-store"},
		"redis address unreadable":     {[]string{"-store", "redis://:hush%zz@127.0.0.1:1"}, "-store"},
		"sentinel without a master":    {[]string{"-store", "redis+sentinel://:hush@127.0.0.1:1"}, "master_name"},
		"postgres that is not there":   {[]string{"-store", "postgres://me:hush@127.0.0.1:1/app"}, "-migrate"},
		"postgres to be prepared":      {[]string{"-store", "postgres://me:hush@127.0.0.1:1/app", "-migrate"}, "cannot be prepared"},
		"postgres with a mistake":      {[]string{"-store", "postgres://me:hush@127.0.0.1:none/app"}, "-store"},
		"postgres address unreadable":  {[]string{"-store", "postgres://me:hush%zz@127.0.0.1/app"}, "-store"},
		"migrate without postgres":     {[]string{"-store", "memory", "-migrate"}, "-migrate"},
		"sqlite without file":          {[]string{"-store", "sqlite:"}, "-store"},
		"sqlite in no folder":          {[]string{"-store", "sqlite:" + noFolder}, noFolder},
		"keys in no folder":            {[]string{"-keys", noFolder}, noFolder},
		"keys too short":               {[]string{"-keys", badKeys}, badKeys},
		"base URL without scheme":      {[]string{"-base-url", "app.example"}, "-base-url"},
		"base URL not loopback":        {[]string{"-base-url", "http://app.example"}, "app.example"},
		"issuer alone":                 {[]string{"-issuer", "https://id.example"}, "-client-id"},
		"issuer without secret":        {[]string{"-issuer", "https://id.example", "-client-id", "me"}, "-client-secret"},
		"issuer not a URL":             {[]string{"-issuer", "id.example", "-client-id", "me", "-client-secret", "hush"}, "-issuer"},
		"issuer http not loopback":     {[]string{"-issuer", "http://id.example", "-client-id", "me", "-client-secret", "hush"}, "Issuer"},
		"client id without issuer":     {[]string{"-client-id", "me"}, "-client-id"},
		"client secret without issuer": {[]string{"-client-secret", "hush"}, "-client-secret"},
		"scopes without issuer":        {[]string{"-scopes", "openid"}, "-scopes"},
		"argument after good flags":    {append(real, "now"), "now"},
	} {
		t.Run(name, func(t *testing.T) {
			args := row.args
			for flag, value := range map[string]string{"-addr": "127.0.0.1:0", "-store": "memory"} {
				if !strings.Contains(strings.Join(args, " "), flag) {
					args = append([]string{flag, value}, args...)
				}
			}
			var stdout, stderr bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			code := run(ctx, args, &stdout, &stderr)
			line := stderr.String()
			if code != exitUsage || strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "quickstart: ") || !strings.Contains(line, row.says) {
				t.Errorf("status %d, want 2, and one line that says %q:\n%s", code, row.says, line)
			}
			if strings.Contains(line, "hush") {
				t.Errorf("the line shows the client secret: %s", line)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout: %s", &stdout)
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	t.Setenv(secretVariable, "hush")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-help"}, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", code, &stderr)
	}
	for _, flag := range []string{"-addr", "-base-url", "-issuer", "-client-id", "-client-secret", "-scopes", "-store", "-migrate", "-keys", "-session", "-grace", "-v"} {
		if !slices.Contains(strings.Fields(stdout.String()), flag) {
			t.Errorf("-help does not mention %s", flag)
		}
	}
	if strings.Contains(stdout.String(), "hush") {
		t.Error("-help shows the client secret of the environment")
	}
}

func TestFlagsAreRead(t *testing.T) {
	dir := filepath.Join(home(t), "easyauth-quickstart")
	read := func(args ...string) options {
		t.Helper()
		opts, err := parseOptions(args, nil)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return opts
	}

	opts := read()
	if opts.addr != "127.0.0.1:8080" || opts.session != 8*time.Hour || opts.grace != 72*time.Hour || opts.tokenLifetime != time.Minute || opts.outage != 30*time.Second {
		t.Errorf("the defaults are %+v", opts)
	}
	if opts.store.File() != filepath.Join(dir, "sessions.db") || opts.keysFile != filepath.Join(dir, "keys") {
		t.Errorf("the files are %s and %s, want both in %s", opts.store.File(), opts.keysFile, dir)
	}
	if opts := read("-store", "memory"); opts.store.Lasting() || opts.remembers() || opts.keysFile == "" {
		t.Errorf("in memory: store %q, keys %q", opts.store, opts.keysFile)
	}
	if opts := read("-store", "sqlite:a:b.db", "-keys", "k"); opts.store.File() != "a:b.db" || opts.keysFile != "k" || opts.cacheDir != "" {
		t.Errorf("named files: store %q, keys %q", opts.store, opts.keysFile)
	}
	if opts := read("-store", "postgres://me@db.example/app", "-migrate", "-keys", "k"); !opts.store.Migrate || opts.cacheDir == "" {
		t.Errorf("on Postgres: %+v, and the development provider remembers in %q", opts.store, opts.cacheDir)
	}
	if opts := read("-grace", "0s"); opts.grace >= 0 {
		t.Errorf("-grace 0s gives %v, which easyauth takes for its default", opts.grace)
	}

	t.Setenv(secretVariable, "of the environment")
	opts = read("-issuer", "https://id.example", "-client-id", "me", "-scopes", "openid  email")
	if opts.clientSecret.Reveal() != "of the environment" || len(opts.scopes) != 2 {
		t.Errorf("secret from the environment: %v, scopes %q", opts.clientSecret.Reveal() == "of the environment", opts.scopes)
	}
	if opts = read("-issuer", "https://id.example", "-client-id", "me", "-client-secret", "of the flag"); opts.clientSecret.Reveal() != "of the flag" {
		t.Error("the flag does not go before the environment")
	}
}

// home gives the test a user's cache directory of its own.
func home(t *testing.T) (cache string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return cache
}
