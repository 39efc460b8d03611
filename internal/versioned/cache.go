// Package versioned remembers what was made of a stored entry (its plaintext,
// its decoded record) for as long as the entry keeps its version. The version
// is read from the store every time, so what the cache returns is never stale.
package versioned

import (
	"hash/maphash"
	"sync"
)

const shards = 16

// Cache maps a key and its version to a value. It is bounded and safe for
// concurrent use. The zero Cache is not usable; call New.
type Cache[V any] struct {
	seed  maphash.Seed
	parts [shards]part[V]
}

// part keeps two halves. New values go to the young half; when that is full it
// becomes the old one and the old one is dropped, which approximates "least
// recently used" without a list to maintain on every read.
type part[V any] struct {
	mu         sync.RWMutex
	young, old map[string]item[V]
	limit      int
}

type item[V any] struct {
	version uint64
	value   V
}

// New returns a cache that holds about size values.
func New[V any](size int) *Cache[V] {
	c := &Cache[V]{seed: maphash.MakeSeed()}
	for i := range c.parts {
		c.parts[i].limit = max(size/shards/2, 1)
		c.parts[i].young = make(map[string]item[V])
	}
	return c
}

// Get returns what Put stored for this version of key.
func (c *Cache[V]) Get(key string, version uint64) (V, bool) {
	p := c.part(key)
	p.mu.RLock()
	it, young := p.young[key]
	if !young {
		it = p.old[key]
	}
	p.mu.RUnlock()
	if it.version != version || version == 0 {
		var zero V
		return zero, false
	}
	if !young {
		c.Put(key, version, it.value)
	}
	return it.value, true
}

// Put stores value for this version of key, in place of any other version.
func (c *Cache[V]) Put(key string, version uint64, value V) {
	p := c.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.young) >= p.limit {
		if _, ok := p.young[key]; !ok {
			p.young, p.old = make(map[string]item[V], p.limit), p.young
		}
	}
	p.young[key] = item[V]{version, value}
	delete(p.old, key) // or what was replaced would stay as long as its half
}

// Delete forgets key in all its versions.
func (c *Cache[V]) Delete(key string) {
	p := c.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.young, key)
	delete(p.old, key)
}

func (c *Cache[V]) part(key string) *part[V] {
	return &c.parts[maphash.String(c.seed, key)%shards]
}
