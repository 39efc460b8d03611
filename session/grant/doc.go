// Package grant keeps the tokens of one login fresh: who refreshes, who waits,
// what a failure means. It is the heart of easyauth.
package grant
