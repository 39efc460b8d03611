package redisstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
)

// indexPrefix begins the key of the index of a tag: a sorted set of entries,
// each with the millisecond until which it may be there. An index may hold
// entries that are gone or have other tags by now, but never lacks one: it is
// written before the entry, and nothing is taken out of it before its time.
const indexPrefix = "easyauth:tag:"

// page is how many entries Tagged looks at in one call.
const page = 100

// index notes key under the tags of e, in one round trip. Twice does no harm, so
// the client may repeat it.
func (s *Store) index(ctx context.Context, key string, e store.Entry) error {
	if len(e.Tags) == 0 {
		return nil
	}
	note := func(eval evaluation, program string) error {
		pipe := s.client.Pipeline()
		for _, tag := range e.Tags {
			eval(pipe, ctx, program, []string{indexPrefix + tag}, key, e.ExpiresAt.UnixMilli())
		}
		_, err := pipe.Exec(ctx)
		return err
	}
	err := note(redis.Pipeliner.EvalSha, indexScript.sum)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		err = note(redis.Pipeliner.Eval, indexScript.text)
	}
	return err
}

type evaluation func(pipe redis.Pipeliner, ctx context.Context, program string, keys []string, args ...any) *redis.Cmd

// Tagged implements [store.TagIndex]. It reads each entry that may carry the
// tag, a hundred at a time.
//
// On a cluster the index rests on another node than the entries. If that node
// loses what it had, the entries are found again once they are saved again.
func (s *Store) Tagged(ctx context.Context, tag string) ([]string, error) {
	candidates, err := do(ctx, s.crew, func(ctx context.Context) ([]any, error) {
		reply, _, err := s.run(ctx, taggedScript, indexPrefix+tag)
		return reply, err
	})
	if err != nil {
		return nil, fmt.Errorf("redisstore: search by tag: %w", err)
	}
	keys := make([]string, 0, len(candidates))
	for _, c := range candidates {
		if key, ok := c.(string); ok {
			keys = append(keys, key)
		}
	}
	var tagged []string
	for some := range slices.Chunk(keys, page) {
		entries, err := s.Load(ctx, some...)
		if err != nil {
			return nil, err
		}
		for i, e := range entries {
			if slices.Contains(e.Tags, tag) {
				tagged = append(tagged, some[i])
			}
		}
	}
	return tagged, nil
}
