// Package respond holds the fixed texts, the status table and the headers of
// every answer that easyauth writes itself: problem+json for programs, plain
// accessible HTML for people. Nothing that a request or a provider said is ever
// echoed (docs/threats.md LEA1, LEA7); what an answer carries besides its fixed text
// is named, field by field, in [Options].
//
// A caller decides what happened and names it by a [Reason]; status, code and
// words follow from the table. [Fail] chooses between page and problem,
// [Redirect] is the only way to send a browser elsewhere, and all of them are
// never cached.
package respond
