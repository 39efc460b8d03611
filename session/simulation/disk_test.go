package simulation_test

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// disk is the one store that all replicas share: memstore under a clock that can
// jump, as the clock of a store jumps when another server takes over.
//
// The replicas' own clocks need no such thing. What one process reads on its
// clock is never compared with what another reads; a clock that is off by a
// constant has no effect at all, and a clock that is put right while a sign-in
// is under way is what [idp.register] plays.
type disk struct {
	mem      *memstore.Store
	ahead    time.Duration // of the virtual clock
	jumpedAt time.Duration // last time, 0: never
}

// keep is how long memstore holds what the disk gives it; the disk's own clock
// says when an entry is over.
const keep = 10000 * time.Hour

func (d *disk) now() time.Time { return time.Now().Round(0).Add(d.ahead).Truncate(time.Microsecond) }

// load reads entries as the store's clock sees them.
func (d *disk) load(keys []string) ([]store.Entry, error) {
	now := d.now()
	entries, err := d.mem.Load(context.Background(), keys...)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		e := &entries[i]
		if e.Version != 0 {
			e.ExpiresAt = time.Unix(0, int64(binary.BigEndian.Uint64(e.Value))).UTC()
			e.Value = e.Value[8:]
			if !e.ExpiresAt.After(now) {
				*e = store.Entry{}
			}
		}
		e.Now = now
	}
	return entries, nil
}

func (d *disk) save(key string, e store.Entry) (store.Entry, error) {
	now := d.now()
	if err := store.Check(key, e, now); err != nil {
		return store.Entry{}, err
	}
	inner := e
	inner.Value = append(binary.BigEndian.AppendUint64(nil, uint64(e.ExpiresAt.UnixNano())), e.Value...)
	inner.ExpiresAt = time.Now().Add(keep)
	saved, err := d.mem.Save(context.Background(), key, inner)
	if err != nil {
		return store.Entry{}, err
	}
	e.Version, e.Now = saved.Version, now
	return e, nil
}

func (d *disk) delete(key string) { _ = d.mem.Delete(context.Background(), key) }

// jumped reports whether the clock jumped after then. w.mu is held.
func (d *disk) jumped(then time.Duration) bool { return d.jumpedAt > 0 && d.jumpedAt >= then }
