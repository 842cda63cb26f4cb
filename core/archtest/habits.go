package archtest

import (
	"go/ast"
	"slices"
)

// waits are the functions of package time that make a test slow and lucky.
var waits = []string{"Sleep", "Tick", "NewTicker"}

// checkTestHabits finds sleeps in tests and skips without a reason.
func checkTestHabits(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(func(f *File) bool { return f.Test && written(f) }) {
		if under(f.pkg.Dir, "e2e") { // its tests look at a whole device and may wait for it
			continue
		}
		names := importNames(f)
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if p, _ := qualifier(n, names); p == "time" && slices.Contains(waits, n.Sel.Name) {
					out = append(out, t.violation(n.Pos(), "time.%s in a test", n.Sel.Name))
				}
			case *ast.CallExpr:
				sel, ok := n.Fun.(*ast.SelectorExpr)
				if ok && (sel.Sel.Name == "SkipNow" || sel.Sel.Name == "Skip" && len(n.Args) == 0) {
					out = append(out, t.violation(n.Pos(), "skip without a reason"))
				}
			}
			return true
		})
	}
	return out
}
