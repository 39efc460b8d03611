package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The replicas of the fleet are this test's own binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-replica" {
		main()
	}
	os.Exit(m.Run())
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("redis-server is missing: apt-get install redis-server")
	}
	t.Skip("redis-server is missing: apt-get install redis-server")
}

func TestAReplicaIsKilledAndNobodyNoticesWithAForgivingProvider(t *testing.T) {
	needRedis(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-users", "4", "-storm", "10", "-for", "14s", "-rotation", "graced"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("status %d: %s%s", code, stderr.String(), stdout.String())
	}
	if !strings.Contains(stdout.String(), "replica 1 killed") {
		t.Error("no replica was killed")
	}
	sum := regexp.MustCompile(`(\d+) storms of 10 requests: (\d+) refreshes, .* presented twice: 0; sign-outs: 0\n`).FindStringSubmatch(stdout.String())
	if sum == nil || sum[1] == "0" {
		t.Fatalf("it ends with something else than no sign-outs: %s", stdout.String())
	}
}

func TestEachStormIsOneRefresh(t *testing.T) {
	needRedis(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-users", "3", "-storm", "10", "-for", "8s", "-calm"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("status %d: %s%s", code, stderr.String(), stdout.String())
	}
	sum := regexp.MustCompile(`(\d+) storms of 10 requests: (\d+) refreshes, (\d+) of them granted; tokens presented twice: 0; sign-outs: 0\n`).FindStringSubmatch(stdout.String())
	if sum == nil || sum[1] == "0" || sum[1] != sum[2] || sum[2] != sum[3] {
		t.Errorf("storms, refreshes and grants differ: %s", stdout.String())
	}
}

func TestWithoutARedisItSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", "")
	if answers(t.Context(), usualRedis) == nil {
		t.Skip("there is a Redis at the usual address")
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), nil, &stdout, &stderr)
	if code != exitFailed || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "apt-get install redis-server") {
		t.Errorf("status %d: %s", code, stderr.String())
	}
}

func TestARedisThatDoesNotAnswerIsNamedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"redis://:secret@127.0.0.1:1", "nonsense:secret"} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"-redis", url}, &stdout, &stderr)
		if code != exitFailed || !strings.Contains(stderr.String(), "-redis") || strings.Contains(stderr.String(), "secret") {
			t.Errorf("status %d: %s", code, stderr.String())
		}
	}
}

func TestItEndsWhenItIsInterrupted(t *testing.T) {
	needRedis(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"-users", "1", "-for", "0"}, &stdout, &stderr); code != exitOK {
		t.Errorf("status %d: %s", code, stderr.String())
	}
}

func TestAMistakeOnTheCommandLineIsStatus2(t *testing.T) {
	for _, args := range [][]string{{"-users", "0"}, {"-rotation", "never"}, {"-for", "-1s"}, {"more"}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, &stdout, &stderr); code != exitUsage || stderr.Len() == 0 {
			t.Errorf("%q: status %d: %s", args, code, stderr.String())
		}
	}
}
