package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// declaring are the functions that a package variable of an agent may be made with: topics, ops,
// error values and things that never change.
var declaring = []string{
	"bus.NewTopic", "bus.NewFamily", "agent.NewOp", "errors.New", "fmt.Errorf",
	"regexp.MustCompile", "netip.MustParseAddr", "netip.MustParsePrefix", "semver.MustParse",
	"time.Date", "strings.NewReplacer", "controllerconn.Declare",
}

// checkInit refuses init functions: what runs is called by somebody who can be read.
func checkInit(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(written) {
		for _, d := range f.Syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				out = append(out, t.violation(fn.Pos(), "init function"))
			}
		}
	}
	return out
}

// checkVariables wants every package variable to be set where it is declared and never again; in
// agents it also has to be a topic, an op, an error value or a table.
func checkVariables(t *Tree) []Violation {
	var out []Violation
	for _, p := range t.Packages {
		names := map[string]bool{}
		for _, f := range p.Files {
			if code(f) {
				out = append(out, t.declaredVariables(f, names)...)
			}
		}
		for _, f := range p.Files {
			if code(f) {
				out = append(out, t.changedVariables(f, names)...)
			}
		}
	}
	return out
}

// declaredVariables checks the declarations of a file and collects the names.
func (t *Tree) declaredVariables(f *File, names map[string]bool) []Violation {
	var out []Violation
	for _, d := range f.Syntax.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, s := range gen.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, name := range spec.Names {
				if name.Name == "_" {
					continue
				}
				names[name.Name] = true
				switch {
				case len(spec.Values) == 0 && !embeds(gen, spec):
					out = append(out, t.violation(name.Pos(), "%s is not set where it is declared",
						name.Name))
				case agentOf(f.pkg.Dir) != "" && i < len(spec.Values) && !constant(spec.Values[i]):
					out = append(out, t.violation(name.Pos(),
						"%s is not a topic, an op, an error value or a table", name.Name))
				}
			}
		}
	}
	return out
}

// embeds reports whether the variable is filled by go:embed.
func embeds(gen *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{gen.Doc, spec.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
			return strings.HasPrefix(c.Text, "//go:embed ")
		}) {
			return true
		}
	}
	return false
}

// constant reports whether an initial value is one of the declaring calls, a literal, or made of
// them.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.CompositeLit, *ast.Ident, *ast.SelectorExpr:
		return true
	case *ast.UnaryExpr:
		return constant(e.X)
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	case *ast.CallExpr:
		fun := e.Fun
		switch x := fun.(type) {
		case *ast.IndexExpr:
			fun = x.X
		case *ast.IndexListExpr:
			fun = x.X
		case *ast.ArrayType:
			return true
		}
		sel, ok := fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, ok := sel.X.(*ast.Ident)
		return ok && slices.Contains(declaring, pkg.Name+"."+sel.Sel.Name)
	}
	return false
}

// changedVariables finds the places of a file that change a package variable.
func (t *Tree) changedVariables(f *File, names map[string]bool) []Violation {
	var out []Violation
	change := func(e ast.Expr) {
		id := rootOf(e)
		// A name that the file declares elsewhere than at the top is a local one.
		if id == nil || !names[id.Name] || id.Obj != nil && f.Syntax.Scope.Lookup(id.Name) != id.Obj {
			return
		}
		out = append(out, t.violation(e.Pos(), "package variable %s is changed", id.Name))
	}
	changes(f.Syntax, change)
	return out
}

// changes calls do for every expression that is assigned to, counted, deleted from or cleared.
func changes(n ast.Node, do func(ast.Expr)) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					do(e)
				}
			}
		case *ast.IncDecStmt:
			do(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				for _, e := range []ast.Expr{n.Key, n.Value} {
					if e != nil {
						do(e)
					}
				}
			}
		case *ast.CallExpr:
			id, ok := n.Fun.(*ast.Ident)
			if ok && len(n.Args) > 0 && (id.Name == "delete" || id.Name == "clear" ||
				id.Name == "copy") {
				do(n.Args[0])
			}
		}
		return true
	})
}

// rootOf returns the name that an assignable expression starts from.
func rootOf(e ast.Expr) *ast.Ident {
	for ; e != nil; e = operand(e) {
		if x, ok := e.(*ast.Ident); ok {
			return x
		}
	}
	return nil
}

// operand is what an assignable expression selects from, indexes, slices, follows or puts in
// parentheses, nil if it does nothing of that.
func operand(e ast.Expr) ast.Expr {
	switch x := e.(type) {
	case *ast.SelectorExpr:
		return x.X
	case *ast.IndexExpr:
		return x.X
	case *ast.SliceExpr:
		return x.X
	case *ast.StarExpr:
		return x.X
	case *ast.ParenExpr:
		return x.X
	}
	return nil
}
