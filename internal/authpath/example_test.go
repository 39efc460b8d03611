package authpath_test

import (
	"fmt"
	"net/url"

	"github.com/goeasyauth/easyauth/internal/authpath"
)

func Example() {
	paths, err := authpath.New("/.auth")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, target := range []string{"/account", "/.auth/login/google", "/.auth%2fme"} {
		u, _ := url.ParseRequestURI(target)
		place, route := paths.Match(u)
		fmt.Printf("%s: %s %q\n", target, place, route)
	}
	// Output:
	// /account: outside ""
	// /.auth/login/google: inside "login/google"
	// /.auth%2fme: reserved ""
}
