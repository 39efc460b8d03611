// Package handlers serves the routes under /.auth, one file each, with the
// checks of a route in the order in which they are made.
//
//	GET       /.auth/login                      choose a provider; straight on where there is one
//	GET       /.auth/login/<provider>           begin a sign-in
//	GET POST  /.auth/login/<provider>/callback  finish it
//	GET POST  /.auth/logout                     sign out, here and at the provider
//	GET       /.auth/logout/complete            the end of that (also /.auth/logout/done)
//	GET       /.auth/me                         who is signed in, with which tokens
//	GET POST  /.auth/refresh                    renew the tokens and the session now
//
// The provider's segment is case-insensitive; everything else has one spelling
// and is 404 in any other. HEAD is answered only where GET is a fixed page, for
// it must change nothing. No answer may be cached.
//
// # Who may ask
//
// Browsers say in Sec-Fetch-Site, and before that in Origin, which site caused
// a request. What changes something (logout, refresh) or tells something (me) is
// for pages of this application, for the address bar, and for programs, which
// send neither header. Others are refused with 403; a link on another site that
// leads to logout asks the user first.
//
// # What an answer means
//
// A defect of the provider's answer is 400, a sign-in that was declined is 403,
// a provider that cannot be used now is 503 with Retry-After, one that rejects
// the application is 502. A store that cannot be asked is 503 with the cookie
// untouched: it signs nobody out.
package handlers
