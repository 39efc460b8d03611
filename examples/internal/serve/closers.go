package serve

import (
	"errors"
	"io"
	"net"
)

// Closers is what a program has opened, in that order.
type Closers []io.Closer

// Close closes all of it, the last first. A listener that its server has closed
// already is no error. The second time there is nothing left to close.
func (c *Closers) Close() error {
	var errs []error
	for len(*c) > 0 {
		last := len(*c) - 1
		if err := (*c)[last].Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
		*c = (*c)[:last]
	}
	return errors.Join(errs...)
}
