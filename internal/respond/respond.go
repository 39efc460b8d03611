// Package respond holds the fixed texts, the status table and the headers of
// every answer that easyauth writes itself: problem+json for programs, plain
// accessible HTML for people. Nothing from a request or a provider is ever
// echoed (security.md LEA1, LEA7).
package respond
