package redisstore

import (
	"context"
	"fmt"
)

// channelPrefix begins the name of the channel on which the scripts tell that a
// key has changed. Channels are the same in all databases of a server.
const channelPrefix = "easyauth:changed:"

// Watch implements [store.Watcher]. It returns when the server has confirmed the
// subscription. All watches of a Store share one connection, which is opened for
// the first and closed when there has been none for a few seconds. If it breaks,
// it is opened again, and then every watch is told, because nobody knows what
// was missed.
func (s *Store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	told, err := s.watch.watch(ctx, channelPrefix+key)
	if err != nil {
		return nil, fmt.Errorf("redisstore: watch: %w", blame(ctx, err))
	}
	return told, nil
}
