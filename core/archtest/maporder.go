package archtest

import (
	"bytes"
	"go/ast"
	"go/types"
	"slices"
)

// orderMark, with a reason behind it, allows an iteration over a map on its line.
const orderMark = "//order: "

// sorting are the functions of slices whose result does not depend on the order they read in, and
// collecting those of maps.
var (
	sorting    = []string{"Sorted", "SortedFunc", "SortedStableFunc"}
	collecting = []string{"Collect", "Insert"}
)

// checkMapOrder finds iterations over maps in pure code: for range, the iterators of package maps
// that nobody sorts, and reflection. The order of a map differs from run to run.
func checkMapOrder(t *Tree) ([]Violation, error) {
	typed, err := t.types()
	if err != nil {
		return nil, err
	}
	var out []Violation
	for f := range t.files(pure) {
		c := typed.packages[f.pkg.Dir]
		if c == nil {
			continue
		}
		lines := bytes.Split(f.Source, []byte("\n"))
		report := func(n ast.Node, what string) {
			line := lines[t.fset.Position(n.Pos()).Line-1]
			if _, why, marked := bytes.Cut(line, []byte(orderMark)); !marked || len(why) < 3 {
				out = append(out, t.violation(n.Pos(), "%s", what))
			}
		}
		sorted := sortedCalls(f)
		names := importNames(f)
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.RangeStmt:
				if isMap(c.info.TypeOf(n.X)) && n.Key != nil {
					report(n, "range over a map: sort its keys")
				}
			case *ast.CallExpr:
				if isMapsIterator(n, names) && !sorted[n] {
					report(n, "iterator over a map: sort it")
				}
			case *ast.SelectorExpr:
				if n.Sel.Name == "MapRange" || n.Sel.Name == "MapKeys" {
					report(n, "reflect."+n.Sel.Name+": sort the keys")
				}
			}
			return true
		})
	}
	return out, nil
}

// isMap reports whether values of a type iterate in the order of a map.
func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	if p, ok := t.(*types.TypeParam); ok {
		t = p.Constraint()
		if i, ok := t.Underlying().(*types.Interface); ok && i.NumEmbeddeds() == 1 {
			if u, ok := i.EmbeddedType(0).(*types.Union); ok && u.Len() > 0 {
				return isMap(u.Term(0).Type())
			}
			return isMap(i.EmbeddedType(0))
		}
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// isMapsIterator recognizes maps.All, maps.Keys and maps.Values.
func isMapsIterator(call *ast.CallExpr, names map[string]string) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	p, _ := qualifier(sel, names)
	return (p == "maps" || p == "golang.org/x/exp/maps") &&
		slices.Contains([]string{"All", "Keys", "Values"}, sel.Sel.Name)
}

// sortedCalls marks the calls that stand as an argument of a sorting or collecting function.
func sortedCalls(f *File) map[*ast.CallExpr]bool {
	names := importNames(f)
	marked := map[*ast.CallExpr]bool{}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		p, _ := qualifier(sel, names)
		if p == "slices" && slices.Contains(sorting, sel.Sel.Name) ||
			p == "maps" && slices.Contains(collecting, sel.Sel.Name) {
			for _, a := range call.Args {
				if inner, ok := a.(*ast.CallExpr); ok {
					marked[inner] = true
				}
			}
		}
		return true
	})
	return marked
}
