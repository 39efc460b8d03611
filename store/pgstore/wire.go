package pgstore

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// What goes over the wire is in the server's binary format: a value is not
// doubled in size, and nothing has to be asked of the server before it is sent.

// epoch is from when the server counts microseconds: the year 2000.
const epoch = 946_684_800_000_000

func timestamp(t time.Time) []byte { return integer(t.UnixMicro() - epoch) }

func instant(b []byte) time.Time { return time.UnixMicro(number(b) + epoch) }

func integer(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func number(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

// list writes names, none of which contains a space, as one text, which the
// statements take apart. No names at all are NULL.
func list(names []string) []byte {
	if len(names) == 0 {
		return nil
	}
	return []byte(strings.Join(names, " "))
}

// present is value, but never NULL.
func present(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// entry reads a row of the statement load, unless it has expired.
func entry(now time.Time, row [][]byte) store.Entry {
	e := store.Entry{
		ExpiresAt: instant(row[3]),
		Version:   uint64(number(row[2])),
		Value:     row[5],
		Now:       now,
	}
	if !e.ExpiresAt.After(now) {
		return store.Entry{Now: now}
	}
	if row[4] != nil {
		e.Tags = strings.Fields(string(row[4]))
	}
	return e
}

// newVersion draws a version that no entry had before, by chance and not by
// counting: a server that was restored, or that took over before it had heard of
// the last writes, would count the same numbers again, for other values.
func newVersion() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return max(1, int64(binary.BigEndian.Uint64(b[:])>>1))
}
