package memstore

// watchers are those who wait for a change, by the key that they wait for. The
// lock of their shard guards them.
type watchers map[string]map[chan struct{}]struct{}

// add returns a channel with room for one value: who was told and has not looked
// yet need not be told again.
func (w *watchers) add(key string) chan struct{} {
	if *w == nil {
		*w = make(watchers)
	}
	if (*w)[key] == nil {
		(*w)[key] = make(map[chan struct{}]struct{}, 1)
	}
	told := make(chan struct{}, 1)
	(*w)[key][told] = struct{}{}
	return told
}

func (w watchers) remove(key string, told chan struct{}) {
	delete(w[key], told)
	if len(w[key]) == 0 {
		delete(w, key)
	}
}

// tell never waits: a writer owes nothing to a watcher that does not read.
func (w watchers) tell(key string) {
	for told := range w[key] {
		select {
		case told <- struct{}{}:
		default:
		}
	}
}
