// Package authpath decides, in one place, what a request path has to do with
// the reserved prefix (/.auth): nothing, one of its routes, or an attempt to
// reach it by another spelling (docs/threats.md, paths).
//
// Whoever reads a path reads it a little differently: one decodes %2f before it
// looks for slashes and the next one after, one cleans dot segments, one folds
// case, one cuts ;parameters. A path on which two of them may disagree about the
// prefix is neither ours nor the application's. It is [Reserved], and the answer
// is 404.
package authpath
