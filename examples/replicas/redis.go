package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const usualRedis = "redis://127.0.0.1:6379"

// findRedis returns the URL of a Redis that answers: the one that is asked for,
// the usual one, or one that is started here and ends with stop.
func findRedis(ctx context.Context, asked string) (url string, stop func(), err error) {
	switch {
	case asked != "" && answers(ctx, asked) == nil:
		return asked, func() {}, nil
	case asked != "":
		return "", nil, fmt.Errorf("no Redis answers at -redis: %w", answers(ctx, asked))
	case answers(ctx, usualRedis) == nil:
		return usualRedis, func() {}, nil
	}
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, errors.New("there is no Redis at 127.0.0.1:6379 and no redis-server to start: install it (apt-get install redis-server), or name a Redis with -redis URL")
	}
	return startRedis(ctx, program)
}

func answers(ctx context.Context, url string) error {
	at, err := redis.ParseURL(url)
	if err != nil {
		return errors.New("not a Redis URL, such as " + usualRedis) // the URL may hold a password
	}
	// The client logs what cannot be dialled, and here that is no news.
	dialled, err := net.DialTimeout(at.Network, at.Addr, time.Second)
	if err != nil {
		return err
	}
	dialled.Close()
	client := redis.NewClient(at)
	defer client.Close()
	return client.Ping(ctx).Err()
}

// startRedis starts a Redis that keeps nothing, on a free port.
func startRedis(ctx context.Context, program string) (string, func(), error) {
	addr, err := freeAddr()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "replicas-redis-")
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	server := exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "no")
	var output strings.Builder
	server.Stdout = &output
	if err := server.Start(); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop := func() {
		server.Process.Kill()
		server.Wait()
		os.RemoveAll(dir)
	}
	url := "redis://" + addr
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = answers(ctx, url); err == nil {
			return url, stop, nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			stop()
			return "", nil, fmt.Errorf("%s was started and does not answer: %w\n%s", program, err, output.String())
		}
	}
}

// freeAddr is a loopback address that nobody listens on right now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
