package versioned_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/goeasyauth/easyauth/internal/versioned"
)

func TestValueIsKnownForItsVersionOnly(t *testing.T) {
	c := versioned.New[string](64)
	c.Put("key", 3, "three")
	for version, wanted := range map[uint64]string{3: "three", 2: "", 4: "", 0: ""} {
		if got, ok := c.Get("key", version); got != wanted || ok != (wanted != "") {
			t.Errorf("version %d: %q, %v", version, got, ok)
		}
	}
	c.Put("key", 4, "four")
	if _, ok := c.Get("key", 3); ok {
		t.Error("the version before is still there")
	}
	if _, ok := c.Get("other", 4); ok {
		t.Error("a key that was never put")
	}
}

func TestDeletedValueIsForgotten(t *testing.T) {
	c := versioned.New[string](64)
	for _, aside := range []int{0, 1000} { // just put, and long ago: among so many others that it has come to the old half
		c.Put("key", 1, "plaintext")
		for i := 0; i < aside; i++ {
			c.Put(strconv.Itoa(i), 1, "other")
			if i%2 == 0 {
				c.Get("key", 1)
			}
		}
		c.Delete("key")
		if _, ok := c.Get("key", 1); ok {
			t.Errorf("still there after %d others", aside)
		}
	}
}

func TestCacheIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	const size = 256
	c := versioned.New[int](size)
	c.Put("used", 1, 1)
	for i := range 100 * size {
		c.Put(strconv.Itoa(i), 1, i)
		if _, ok := c.Get("used", 1); !ok {
			t.Fatalf("dropped after %d others although it was used all the time", i)
		}
	}
	kept := 0
	for i := range 100 * size {
		if _, ok := c.Get(strconv.Itoa(i), 1); ok {
			kept++
		}
	}
	if kept == 0 || kept > size+64 {
		t.Errorf("%d values kept of a cache of %d", kept, size)
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	c := versioned.New[int](32)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				c.Put(strconv.Itoa(i%50), uint64(i), i)
				c.Get(strconv.Itoa(i%50), uint64(i))
			}
		})
	}
	wg.Wait()
}
