package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWhatCannotWorkIsOneLineAndStatus2 runs the program with each mistake.
func TestWhatCannotWorkIsOneLineAndStatus2(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	noFolder := filepath.Join(t.TempDir(), "nowhere", "file")
	badKeys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(badKeys, []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		args []string
		says string
	}{
		"unknown flag":                    {[]string{"-colour", "red"}, "-colour"},
		"argument":                        {[]string{"serve"}, `unexpected argument "serve"`},
		"no upstream":                     {[]string{"-upstream", ""}, "-upstream is missing"},
		"upstream without scheme":         {[]string{"-upstream", "127.0.0.1:9000"}, "-upstream"},
		"upstream of another kind":        {[]string{"-upstream", "unix:///run/app"}, "-upstream"},
		"upstream without host":           {[]string{"-upstream", "http://:9000"}, "-upstream"},
		"upstream with a path":            {[]string{"-upstream", "http://127.0.0.1:9000/app"}, "-upstream"},
		"upstream with a query":           {[]string{"-upstream", "http://127.0.0.1:9000/?"}, "-upstream"},
		"upstream with a password":        {[]string{"-upstream", "http://me:hush@127.0.0.1:9000"}, "-upstream"},
		"upstream unreadable":             {[]string{"-upstream", "http://me:hush%zz@127.0.0.1"}, "-upstream"},
		"upstream is the gateway":         {[]string{"-upstream", "http://127.0.0.1:8099", "-addr", "127.0.0.1:8099"}, "the gateway itself"},
		"address without port":            {[]string{"-addr", "localhost"}, "-addr"},
		"address in use":                  {[]string{"-addr", taken.Addr().String()}, "-addr"},
		"nobody could sign in":            {[]string{"-dev=false"}, "-config"},
		"config that is not there":        {[]string{"-config", noFolder}, noFolder},
		"base URL without scheme":         {[]string{"-base-url", "127.0.0.1"}, "127.0.0.1"},
		"base URL with a path":            {[]string{"-base-url", "http://127.0.0.1/app"}, "127.0.0.1"},
		"open to all, and in development": {[]string{"-addr", "0.0.0.0:0"}, "-addr 0.0.0.0:0 can be reached"},
		"unknown store":                   {[]string{"-store", "etcd://127.0.0.1"}, "-store"},
		"redis that is not there":         {[]string{"-store", "redis://:hush@127.0.0.1:1"}, "is it running"},
		"sqlite in no folder":             {[]string{"-store", "sqlite:" + noFolder}, noFolder},
		"keys in no folder":               {[]string{"-keys", noFolder}, noFolder},
		"keys too short":                  {[]string{"-keys", badKeys}, badKeys},
		"a proxy that is none":            {[]string{"-trusted-proxies", "front"}, `"front"`},
		"a proxy that is everybody":       {[]string{"-trusted-proxies", "0.0.0.0/0"}, "everybody"},
		"a proxy that is everybody, v6":   {[]string{"-trusted-proxies", "10.0.0.1,::/0"}, "everybody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", t.TempDir())
			args := append([]string{"-dev", "-addr", "127.0.0.1:0", "-upstream", "http://127.0.0.1:9000"}, row.args...)
			mustComplain(t, args, row.says)
		})
	}
	for _, k := range []keyring{encryption, signing} {
		t.Run(k.variable, func(t *testing.T) {
			t.Setenv(k.variable, "hush")
			mustComplain(t, []string{"-dev", "-addr", "127.0.0.1:0", "-upstream", "http://127.0.0.1:9000"}, k.variable)
		})
	}
}

// mustComplain demands that the program does not start, for a reason of one line
// that shows no password.
func mustComplain(t *testing.T, args []string, says string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	code := run(ctx, args, &stdout, &stderr)
	var complaints []string
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, "time=") { // of the log
			complaints = append(complaints, line)
		}
	}
	if code != exitUsage || len(complaints) != 1 || !strings.HasPrefix(complaints[0], "gateway: ") || !strings.Contains(complaints[0], says) {
		t.Errorf("status %d, complaint %q: want one line with %q", code, complaints, says)
	}
	if strings.Contains(stderr.String(), "hush") {
		t.Errorf("LEA2: a secret is shown: %s", stderr.String())
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-help"}, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("status %d: %s", code, stderr.String())
	}
	for _, flag := range []string{"-config", "-upstream", "-addr", "-store", "-base-url", "-dev", "-keys", "-trusted-proxies"} {
		if !strings.Contains(stdout.String(), flag+" ") && !strings.Contains(stdout.String(), flag+"\n") {
			t.Errorf("the usage does not name %s: %s", flag, stdout.String())
		}
	}
}
