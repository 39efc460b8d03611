// Package schema holds docs/auth.schema.json against easyauth.LoadAppService: a
// file that the loader takes satisfies the schema, and a file of which the form is
// wrong satisfies neither. The validator is somebody else's.
package schema
