package archtest

import (
	"bytes"
	"go/ast"
	"unicode/utf8"
)

// The limits of size. A tab counts as one column.
const (
	maxFileLines     = 500
	maxTestFileLines = 800
	maxFuncLines     = 70
	maxTestFuncLines = 120
	maxColumns       = 100
)

// checkSizes measures files, functions and lines.
func checkSizes(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(written) {
		lines := bytes.Split(bytes.TrimSuffix(f.Source, []byte("\n")), []byte("\n"))
		fileLimit, funcLimit := maxFileLines, maxFuncLines
		if f.Test {
			fileLimit, funcLimit = maxTestFileLines, maxTestFuncLines
		}
		if len(lines) > fileLimit {
			out = append(out, t.violation(f.Syntax.Package, "file of %d lines, limit %d",
				len(lines), fileLimit))
		}
		for i, line := range lines {
			if n := utf8.RuneCount(line); n > maxColumns {
				v := Violation{Path: f.Path, Line: i + 1}
				v.What = t.violation(f.Syntax.Package, "line of %d columns, limit %d", n,
					maxColumns).What
				out = append(out, v)
			}
		}
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1
			if n > funcLimit {
				out = append(out, t.violation(fn.Pos(), "%s has %d lines, limit %d",
					fn.Name.Name, n, funcLimit))
			}
		}
	}
	return out
}
