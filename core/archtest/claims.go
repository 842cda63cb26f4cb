package archtest

import (
	"go/ast"
	"strings"

	"github.com/evetwin/evetwin/core/archtest/proof"
)

// checkClaims wants the names of tests to claim behaviours that exist, and not too many.
func checkClaims(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(func(f *File) bool { return f.Test && written(f) }) {
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			if _, err := proof.Claims(fn.Name.Name); err != nil {
				out = append(out, t.violation(fn.Pos(), "%v", err))
			}
		}
	}
	return out
}
