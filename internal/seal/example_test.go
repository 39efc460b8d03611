package seal_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
)

func Example() {
	newest := bytes.Repeat([]byte("n"), 32) // in earnest: 32 random bytes each
	retired := bytes.Repeat([]byte("r"), 32)

	sealer, err := seal.New([][]byte{newest, retired}, "login attempt", 10*time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, err := sealer.Seal("cookie-name", []byte("state and nonce"))
	if err != nil {
		fmt.Println(err)
		return
	}
	plaintext, err := sealer.Open("cookie-name", sealed)
	fmt.Printf("%s, %v\n", plaintext, err)

	_, err = sealer.Open("another-cookie", sealed)
	fmt.Println(err)
	// Output:
	// state and nonce, <nil>
	// seal: value does not open
}
