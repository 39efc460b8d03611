package redisstore

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// An entry is one string, so that MGET reads several at once:
//
//	format   1 byte
//	version  8 bytes, big-endian; the script that saves compares them
//	expiry   8 bytes, big-endian, milliseconds since 1970
//	tags     1 byte: how many; then of each its length, 2 bytes, and the tag
//	value    the rest
const (
	format     = 1
	versionEnd = 1 + 8
	headBytes  = versionEnd + 8 + 1
)

// newVersion returns a version that no key had before, even if a fail-over makes
// the server forget which ones it gave. It is not 0 and fits a signed integer.
func newVersion() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return max(1, binary.BigEndian.Uint64(b[:])>>1)
}

// spell returns the version as a record has it; an absent one has none.
func spell(version uint64) string {
	if version == 0 {
		return ""
	}
	return string(binary.BigEndian.AppendUint64(nil, version))
}

// lastMilli is the last millisecond in which e is there. The server keeps a key
// through the millisecond of its expiry; an entry is absent from it on.
func lastMilli(e store.Entry) int64 { return e.ExpiresAt.UnixMilli() - 1 }

func encode(e store.Entry, version uint64) []byte {
	size := headBytes + len(e.Value)
	for _, tag := range e.Tags {
		size += 2 + len(tag)
	}
	b := make([]byte, 0, size)
	b = append(b, format)
	b = binary.BigEndian.AppendUint64(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(e.ExpiresAt.UnixMilli()))
	b = append(b, byte(len(e.Tags)))
	for _, tag := range e.Tags {
		b = binary.BigEndian.AppendUint16(b, uint16(len(tag)))
		b = append(b, tag...)
	}
	return append(b, e.Value...)
}

// decode fills e, which has Now, with what the record holds, unless that has
// expired.
func decode(record []byte, e *store.Entry) error {
	if len(record) < headBytes || record[0] != format {
		return errors.New("the key holds what this version of easyauth did not write: use the version that did, or another database")
	}
	version := binary.BigEndian.Uint64(record[1:])
	expiresAt := time.UnixMilli(int64(binary.BigEndian.Uint64(record[versionEnd:])))
	if !expiresAt.After(e.Now) {
		return nil
	}
	tags := make([]string, 0, record[headBytes-1])
	rest := record[headBytes:]
	for range cap(tags) {
		if len(rest) < 2 {
			return errTruncated
		}
		n := int(binary.BigEndian.Uint16(rest))
		if rest = rest[2:]; len(rest) < n {
			return errTruncated
		}
		tags, rest = append(tags, string(rest[:n])), rest[n:]
	}
	e.Version, e.ExpiresAt, e.Value, e.Tags = version, expiresAt, rest, tags
	return nil
}

var errTruncated = errors.New("the entry is truncated")
