package authpath

import "strconv"

// Place is where a path stands relative to the prefix.
type Place uint8

const (
	// Outside: no reader takes the path for one under the prefix. It is the
	// application's.
	Outside Place = iota
	// Inside: the path is canonical and under the prefix, or is the prefix.
	Inside
	// Reserved: some reader may take the path for one under the prefix, but it
	// is not the canonical spelling. Nobody serves it: 404.
	Reserved
)

// String returns the lower-case name.
func (p Place) String() string {
	switch p {
	case Outside:
		return "outside"
	case Inside:
		return "inside"
	case Reserved:
		return "reserved"
	}
	return "place" + strconv.Itoa(int(p))
}
