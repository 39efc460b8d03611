package serve_test

import (
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/serve"
)

type closer func() error

func (c closer) Close() error { return c() }

func TestWhatWasOpenedLastIsClosedFirstAndOnce(t *testing.T) {
	var closed []string
	broken := errors.New("disk full")
	note := func(name string, err error) closer {
		return func() error { closed = append(closed, name); return err }
	}
	opened := serve.Closers{note("listener", net.ErrClosed), note("store", broken), note("auth", nil)}
	if err := opened.Close(); !errors.Is(err, broken) || errors.Is(err, net.ErrClosed) {
		t.Errorf("Close: %v, want what the store said", err)
	}
	if err := opened.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if want := []string{"auth", "store", "listener"}; !slices.Equal(closed, want) {
		t.Errorf("closed %q, want %q", closed, want)
	}
}
