package archtest

import (
	"go/ast"
	"go/token"
	"slices"
)

// checkDocs wants a comment on every package and every exported name.
func checkDocs(t *Tree) []Violation {
	var out []Violation
	for _, p := range t.Packages {
		var first *File
		documented := false
		for _, f := range p.Files {
			if f.Test {
				continue
			}
			if first == nil {
				first = f
			}
			documented = documented || hasText(f.Syntax.Doc)
			if !f.Generated && p.Name != "main" {
				for _, d := range f.Syntax.Decls {
					out = append(out, t.undocumented(d)...)
				}
			}
		}
		if first != nil && !documented {
			out = append(out, t.violation(first.Syntax.Package, "package %s has no comment",
				p.Name))
		}
	}
	return out
}

// undocumented lists the exported names of a declaration that have no comment.
func (t *Tree) undocumented(d ast.Decl) []Violation {
	var out []Violation
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && !hasText(d.Doc) && (d.Recv == nil || exportedReceiver(d)) {
			out = append(out, t.violation(d.Pos(), "%s has no comment", d.Name.Name))
		}
	case *ast.GenDecl:
		grouped := d.Tok != token.TYPE && hasText(d.Doc)
		for _, s := range d.Specs {
			names, docs := specNames(s)
			if d.Lparen == token.NoPos {
				docs = append(docs, d.Doc)
			}
			if grouped || slices.ContainsFunc(docs, hasText) {
				continue
			}
			for _, n := range names {
				if n.IsExported() {
					out = append(out, t.violation(n.Pos(), "%s has no comment", n.Name))
				}
			}
		}
	}
	return out
}

// specNames returns the names that a spec declares and the comments beside it.
func specNames(s ast.Spec) (names []*ast.Ident, docs []*ast.CommentGroup) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{s.Name}, []*ast.CommentGroup{s.Doc, s.Comment}
	case *ast.ValueSpec:
		return s.Names, []*ast.CommentGroup{s.Doc, s.Comment}
	}
	return nil, nil
}

// hasText reports whether a comment says anything; directives do not.
func hasText(c *ast.CommentGroup) bool { return c != nil && c.Text() != "" }

// exportedReceiver reports whether a method belongs to an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	name := receiverName(d)
	return name != nil && name.IsExported()
}

// receiverName returns the type name of a method's receiver.
func receiverName(d *ast.FuncDecl) *ast.Ident {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return nil
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.Ident:
			return x
		default:
			return nil
		}
	}
}
