// Package handlers serves the routes under /.auth, one file each, with the
// checks of a route in the order in which they are made.
//
//	GET       /.auth/login                      choose a provider; straight on where there is one
//	GET       /.auth/login/<provider>           begin a sign-in
//	GET POST  /.auth/login/<provider>/callback  finish it
//	GET       /.auth/login/<provider>/done      where that ends, with a strict session cookie only
//	GET POST  /.auth/logout                     sign out, here and at the provider
//	GET       /.auth/logout/complete            the end of that (also /.auth/logout/done)
//	GET       /.auth/me                         who is signed in, with which tokens
//	GET POST  /.auth/refresh                    renew the tokens and the session now
//	POST      /.auth/backchannel-logout/<provider>  the provider ends sessions (logout_token)
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
// # What is told
//
// /.auth/me is an array of one object, or with ?provider=<alias> that object,
// or {} where another provider vouches. Its members are those of App Service,
// null ones left out: access_token (while it is valid), expires_on (of that
// token), id_token, provider_name, refresh_token (only where the configuration
// says so), user_claims and user_id; and two more: refresh_token_expires_on where
// that is known, and reauth_on where it is so near that the user should be asked
// to sign in again. It renews no token; /.auth/refresh does, and answers
//
//	{"expires_on": ..., "session_expires_on": ..., "user": {"userId": "sid:..."}}
//
// with the expiry of the access token, where known, and of the session.
//
// # What an answer means
//
// A defect of the provider's answer is 400, a sign-in that was declined is 403,
// a provider that cannot be used now is 503 with Retry-After, one that rejects
// the application is 502. A store that cannot be asked is 503 with the cookie
// untouched: it signs nobody out.
package handlers
