package redisstore_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// An index does not grow with all sessions there ever were, and ends with the
// last of them.
func TestIndexForgetsWhatHasExpired(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	saveFor(t, s, "easyauth:long", time.Hour)
	for i := range 10 {
		saveFor(t, s, fmt.Sprint("easyauth:brief:", i), 50*time.Millisecond)
	}
	saveFor(t, s, "easyauth:shorter", time.Minute)
	until(t, func() bool { // expired members go by the second
		saveFor(t, s, "easyauth:another", time.Minute)
		return server.Do("ZCARD", "easyauth:tag:tag") == "3"
	})
	left, err := strconv.Atoi(server.Do("PTTL", "easyauth:tag:tag"))
	if life := time.Duration(left) * time.Millisecond; err != nil || life < 59*time.Minute || life > time.Hour {
		t.Errorf("the index lives for %v, want as long as its longest-lived entry", life)
	}
}

// The loser of a race must not hide the winner's session from EndAll.
func TestRefusedSaveHidesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, testserver.NewRedis(t).Addr())
	saveFor(t, s, "easyauth:key", time.Hour)
	late := store.Entry{Tags: []string{"tag"}, ExpiresAt: time.Now().Add(50 * time.Millisecond)}
	if _, err := s.Save(t.Context(), "easyauth:key", late); err != store.ErrConflict {
		t.Fatalf("Save: %v", err)
	}
	until(t, func() bool { return load(t, s, "easyauth:key").Now.After(late.ExpiresAt.Add(1100 * time.Millisecond)) })
	saveFor(t, s, "easyauth:another", time.Hour) // takes out what has expired
	if keys, err := s.Tagged(t.Context(), "tag"); err != nil || !slices.Contains(keys, "easyauth:key") {
		t.Errorf("Tagged = %q, %v", keys, err)
	}
}

// A session that EndAll cannot find must not begin.
func TestSaveWithoutAnIndexWritesNothing(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	server.Do("ACL", "SETUSER", "plain", "on", "nopass", "~*", "&*", "+@all", "-zadd")
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "plain", Password: "any"})
	t.Cleanup(func() { client.Close() })
	s := over(t, client)
	e := store.Entry{Tags: []string{"easyauth:user"}, ExpiresAt: time.Now().Add(time.Hour)}
	if _, err := s.Save(t.Context(), "easyauth:key", e); err == nil {
		t.Error("Save said that it saved")
	}
	if n := server.Do("DBSIZE"); n != "0" {
		t.Errorf("%s keys were written", n)
	}
}

// What a Save leaves behind that ended between its two steps.
func TestIndexWithoutItsEntry(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	saveFor(t, s, "easyauth:there", time.Hour)
	tomorrow := fmt.Sprint(time.Now().Add(24 * time.Hour).UnixMilli())
	save(t, s, "easyauth:others", "value", "another")
	for _, key := range []string{"easyauth:never-written", "easyauth:others"} {
		server.Do("ZADD", "easyauth:tag:tag", tomorrow, key)
	}
	if keys, err := s.Tagged(t.Context(), "tag"); err != nil || !slices.Equal(keys, []string{"easyauth:there"}) {
		t.Errorf("Tagged = %q, %v", keys, err)
	}
}

func TestTaggedFindsMoreThanOnePage(t *testing.T) {
	t.Parallel()
	s := open(t, testserver.NewRedis(t).Addr())
	const many = 250
	for i := range many {
		saveFor(t, s, fmt.Sprint("easyauth:", i), time.Hour)
	}
	keys, err := s.Tagged(t.Context(), "tag")
	slices.Sort(keys)
	if keys = slices.Compact(keys); err != nil || len(keys) != many {
		t.Errorf("%d keys, %v; want %d", len(keys), err, many)
	}
}

func saveFor(t testing.TB, s *redisstore.Store, key string, life time.Duration) {
	t.Helper()
	e := load(t, s, key)
	e.Tags, e.ExpiresAt = []string{"tag"}, e.Now.Add(life)
	if _, err := s.Save(t.Context(), key, e); err != nil {
		t.Fatal(err)
	}
}
