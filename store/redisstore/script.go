package redisstore

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// What has to be one step on the server is a script, of one key each, which a
// cluster can place.
var (
	//go:embed save.lua
	saveText string
	//go:embed delete.lua
	deleteText string
	//go:embed index.lua
	indexText string
	//go:embed tagged.lua
	taggedText string

	saveScript   = newScript(saveText)
	deleteScript = newScript(deleteText)
	indexScript  = newScript(indexText)
	taggedScript = newScript(taggedText)
)

// script is a program that the server runs, and the name it knows it by once it
// has seen it.
type script struct{ text, sum string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text))
	return script{text, hex.EncodeToString(sum[:])}
}

// run runs sc on key, a second time if the first failed, and returns how often
// the server may have run it.
//
// The client's own repetitions are switched off: it would hide from Save that
// what it sent has arrived twice.
func (s *Store) run(ctx context.Context, sc script, key string, args ...any) (reply []any, sent int, err error) {
	for range 2 {
		reply, err = s.call(ctx, "evalsha", sc.sum, key, args)
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			reply, err = s.call(ctx, "eval", sc.text, key, args)
		}
		var refused redis.Error
		if !errors.As(err, &refused) {
			sent++
		}
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return reply, sent, err
}

func (s *Store) call(ctx context.Context, name, program, key string, args []any) ([]any, error) {
	cmd := redis.NewCmd(ctx, append([]any{name, program, 1, key}, args...)...)
	cmd.SetFirstKeyPos(3)
	if err := s.client.Process(ctx, once{cmd}); err != nil {
		return nil, err
	}
	return cmd.Slice()
}

// once is a command that the client sends at most once.
type once struct{ *redis.Cmd }

// NoRetry implements [redis.Cmder].
func (once) NoRetry() bool { return true }

// readOutcome reads what save.lua returns: a word and the clock.
func readOutcome(reply []any) (outcome string, now time.Time, err error) {
	var seconds, micros string
	for i, field := range []*string{&outcome, &seconds, &micros} {
		if i < len(reply) {
			*field, _ = reply[i].(string)
		}
	}
	s, err1 := strconv.ParseInt(seconds, 10, 64)
	us, err2 := strconv.ParseInt(micros, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return "", time.Time{}, fmt.Errorf("the clock is unreadable: %w", err)
	}
	return outcome, time.Unix(s, us*1000), nil
}
