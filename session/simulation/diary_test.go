package simulation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// entry is a line of the diary, written out only when somebody reads it.
type entry struct {
	at     time.Duration
	format string
	args   []any
}

func (e entry) String() string {
	return fmt.Sprintf("%12s  ", e.at.Truncate(time.Microsecond)) + fmt.Sprintf(e.format, e.args...)
}

// lastEntries is how much of the diary is printed when a seed fails.
const lastEntries = 150

// note writes into the diary. w.mu is held.
func (w *world) note(format string, args ...any) {
	if len(w.diary) > 4*lastEntries && !testing.Verbose() {
		w.diary = append(w.diary[:0], w.diary[len(w.diary)-lastEntries:]...)
	}
	w.diary = append(w.diary, entry{w.at(), format, args})
}

// breach notes that an invariant does not hold. w.mu is held.
func (w *world) breach(invariant, format string, args ...any) {
	text := fmt.Sprintf("%s: at %v: ", invariant, w.at()) + fmt.Sprintf(format, args...)
	w.breaches = append(w.breaches, text)
	w.note("BREACH of %s", text)
	w.stop()
}

// last is the end of the diary, or all of it for a seed that is run alone.
func (w *world) last() string {
	from := max(len(w.diary)-lastEntries, 0)
	if testing.Verbose() {
		from = 0
	}
	var b strings.Builder
	for _, e := range w.diary[from:] {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}
