// Package handlers serves the routes under /.auth, one file each, with the
// checks of a route in the order in which they are made.
//
//	GET       /.auth/login                      choose a provider; straight on where there is one
//	GET       /.auth/login/<provider>           begin a sign-in
//	POST      /.auth/login/<provider>           sign in with the provider's tokens, which a client has
//	POST      /.auth/login                      trade a session token for a new one
//	GET       /.auth/login/<provider>/token     trade the code of a sign-in with a code challenge
//	GET POST  /.auth/login/<provider>/callback  finish it
//	GET       /.auth/login/<provider>/done      where that ends, with a strict session cookie only
//	GET       /.auth/login/done                 where a sign-in of a program ends
//	GET       /.auth/login/iframereceiver       the same for pages of very old browsers
//	GET POST  /.auth/logout                     sign out, here and at the provider
//	GET       /.auth/logout/complete            the end of that (also /.auth/logout/done)
//	GET       /.auth/me                         who is signed in, with which tokens
//	GET POST  /.auth/refresh                    renew the tokens and the session now
//	POST      /.auth/backchannel-logout/<provider>  the provider ends sessions (logout_token)
//
// The provider's segment is case-insensitive, and has an older name for some;
// everything else has one spelling and is 404 in any other. HEAD is answered only
// where GET is a fixed page, for it must change nothing. No answer may be cached.
//
// # Who may ask
//
// Browsers say in Sec-Fetch-Site, and before that in Origin, which site caused
// a request. What changes something (logout, refresh) or tells something (me) is
// for pages of this application, for the address bar, and for programs, which
// send neither header. Others are refused with 403; a link on another site that
// leads to logout asks the user first.
//
// # Programs
//
// Where the session manager has signing keys, a program is signed in by a session
// token in X-ZUMO-AUTH instead of a cookie. It gets one
//
//   - by a sign-in in a browser of its own with session_mode=token, which sets no
//     cookie and ends at its target, or at /.auth/login/done, with #token=<JSON>
//     or #error=<text>;
//   - by one with completion_type=postMessage and completion_origin, whose page
//     tells the window that opened it, if that is of an allowed origin;
//   - by one with code_challenge and code_challenge_method=S256, which ends with
//     #authorization_code=<code>: good for a minute, once, with its verifier;
//   - by a POST of the provider's tokens.
//
// The JSON is {"authenticationToken": ..., "user": {"userId": "sid:..."}}, and that
// of a refresh too. Without signing keys none of this is there.
//
// Pages of the origins in Config.AllowedRedirects may call the routes for programs
// (CORS), without credentials. A request that another site caused has no session
// by its cookie, whatever it says.
//
// # What is told
//
// /.auth/me is an array of one object, or with ?provider=<alias> that object,
// or {} where another provider vouches. Its members are those of App Service,
// null ones left out: access_token (while it is valid), expires_on (of that
// token), access_token_secret and authentication_token (with it, where a provider
// has them), id_token, provider_name, refresh_token (only where the configuration
// says so), user_claims and user_id; and two more: refresh_token_expires_on where
// that is known, and reauth_on where it is so near that the user should be asked
// to sign in again. It renews no token; /.auth/refresh does, and answers
//
//	{"authenticationToken": ..., "user": {"userId": "sid:..."}, "expires_on": ..., "session_expires_on": ...}
//
// with the expiry of the access token, where known, and of the session; the two
// times are for callers with a cookie.
//
// # What an answer means
//
// A defect of the provider's answer is 400, and 401 where a program brought its
// tokens; a sign-in that was declined, or of somebody who may not come in, is 403;
// a provider that cannot be used now is 503 with Retry-After, one that rejects
// the application is 502. A store that cannot be asked is 503 with the cookie
// untouched: it signs nobody out.
package handlers
