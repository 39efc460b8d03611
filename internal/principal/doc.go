// Package principal writes a user the way App Service describes one to an
// application: claims under their long type names, the JSON of the
// X-MS-CLIENT-PRINCIPAL header and the list user_claims of /.auth/me.
// Readers of that contract compare names, order and even bytes, so everything that is not random about it is decided here, once.
package principal
