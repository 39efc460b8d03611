package easyauth_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestRevealIsCalledOnlyWhereItIsKnown keeps the list of places where a secret
// leaves its wrapper. A new line in it is a question for whoever reads the
// change: is the next thing after the call the wire or the seal?
func TestRevealIsCalledOnlyWhereItIsKnown(t *testing.T) {
	var places []string
	for _, f := range sources(t) {
		if f.test || strings.HasPrefix(f.path, "examples/") || strings.HasPrefix(f.path, "e2e/") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, read(t, f.path), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if n := reveals(decl); n > 0 {
				places = append(places, fmt.Sprintf("%s %s %d\n", f.path, nameOf(decl), n))
			}
		}
	}
	slices.Sort(places)
	compareGolden(t, "testdata/reveal.txt", "# file, declaration, calls of Secret.Reveal in it\n"+strings.Join(places, ""))
}

// reveals counts the mentions of a Reveal method, called or passed on.
func reveals(decl ast.Decl) (n int) {
	ast.Inspect(decl, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "Reveal" {
			n++
		}
		return true
	})
	return n
}

// nameOf is the function or Type.Method, or "declaration" for anything else.
func nameOf(decl ast.Decl) string {
	f, ok := decl.(*ast.FuncDecl)
	if !ok {
		return "declaration"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	return fmt.Sprint(receiver) + "." + f.Name.Name
}
