package memstore

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// shardCount spreads the locks: two requests of different users seldom meet.
const shardCount = 64

// sweepEvery is the fewest writes between two sweeps of one shard.
const sweepEvery = 32

// shard is the part of a Store behind one lock.
type shard struct {
	mu    sync.RWMutex
	rows  map[string]row
	sweep int // after how many writes to look for expired rows

	watchers watchers
}

// row is an entry at rest. Its slices are never written to again: Load shares
// them with its callers.
type row struct {
	value     []byte
	tags      []string
	expiresAt time.Time
	version   uint64
}

// load completes e, which has Now already.
func (s *shard) load(key string, e *store.Entry) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r, ok := s.rows[key]; ok && r.expiresAt.After(e.Now) {
		e.Value, e.Tags, e.ExpiresAt, e.Version = r.value, r.tags, r.expiresAt, r.version
	}
}

// swap stores fresh if version is the one of the row that is alive under key,
// 0 for none, and reports whether it did.
func (s *shard) swap(key string, version uint64, fresh row, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepDue(now)
	var stored uint64
	if r := s.rows[key]; r.expiresAt.After(now) {
		stored = r.version
	}
	if stored != version {
		return false
	}
	s.rows[key] = fresh
	s.watchers.tell(key)
	return true
}

// sweepDue drops the expired rows once per as many writes as rows were left the
// last time: the cost per write stays constant and the dead stay in proportion.
func (s *shard) sweepDue(now time.Time) {
	if s.sweep--; s.sweep > 0 {
		return
	}
	maps.DeleteFunc(s.rows, func(_ string, r row) bool { return !r.expiresAt.After(now) })
	s.sweep = max(sweepEvery, len(s.rows))
}

func (s *shard) delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.rows[key]; ok {
		delete(s.rows, key)
		s.watchers.tell(key)
	}
}

// tagged appends to keys those of the rows that are alive and carry tag.
func (s *shard) tagged(keys []string, tag string, now time.Time) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, r := range s.rows {
		if r.expiresAt.After(now) && slices.Contains(r.tags, tag) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (s *shard) watch(key string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watchers.add(key)
}

func (s *shard) unwatch(key string, told chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers.remove(key, told)
}

func (s *shard) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.rows)
}
