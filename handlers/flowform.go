package handlers

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/goeasyauth/easyauth/providers"
)

// The first byte of a sealed login attempt says how the rest is written. Only a
// long return target makes one large, and sealed text grows by 16/9: without
// compression the longest target would not fit into a cookie.
const (
	formPlain    = 'j'
	formDeflated = 'z'
	compressFrom = 1024
	maxForm      = 16 << 10 // JSON can make six bytes of one
)

func (c flowCookies) seal(f providers.Flow) (string, error) {
	plain, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("handlers: login attempt refused: %w", err)
	}
	form := byte(formPlain)
	if len(plain) >= compressFrom {
		plain, form = c.deflate(plain), formDeflated
	}
	sealed, err := c.sealer.Seal(f.ID(), append([]byte{form}, plain...))
	return string(sealed), err
}

// open returns the attempt in a cookie value, if we sealed it under this id.
func (c flowCookies) open(id, value string) (f providers.Flow, ok bool) {
	if len(value) > maxFlowBytes {
		return f, false
	}
	plain, err := c.sealer.Open(id, []byte(value))
	if err != nil || len(plain) == 0 {
		return f, false
	}
	body := io.Reader(bytes.NewReader(plain[1:]))
	if plain[0] == formDeflated {
		body = flate.NewReader(body)
	}
	err = json.NewDecoder(io.LimitReader(body, maxForm)).Decode(&f)
	return f, err == nil
}

func (c flowCookies) deflate(plain []byte) []byte {
	w := c.deflaters.Get().(*flate.Writer)
	defer c.deflaters.Put(w)
	var b bytes.Buffer // takes everything, so none of this fails
	w.Reset(&b)
	_, _ = w.Write(plain)
	_ = w.Close()
	return b.Bytes()
}

// newDeflaters keeps compressors for reuse: each has most of a megabyte, and
// anybody may begin an attempt (DOS1).
func newDeflaters() *sync.Pool {
	return &sync.Pool{New: func() any {
		w, _ := flate.NewWriter(nil, flate.DefaultCompression) // the level is valid
		return w
	}}
}
