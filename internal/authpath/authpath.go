// Package authpath decides, in one place, what a request path has to do with
// the reserved prefix (/.auth): nothing, one of its routes, or an attempt to
// reach it by another spelling (security.md section 2.8).
package authpath
