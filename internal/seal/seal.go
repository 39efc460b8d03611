// Package seal encrypts and authenticates small values with a list of keys, of
// which the newest seals and all open. It is the only importer of securecookie.
package seal

import "errors"

// ErrOpen: the value was not sealed by any of the keys for this purpose and
// name, was altered, or is older than the sealer allows. The reasons are not
// told apart, on purpose.
var ErrOpen = errors.New("seal: value does not open")
