package archtest

import (
	"go/ast"
	"go/types"
	"path"
	"strings"
)

// checkAgentExports wants an agent to export New and nothing else, and to have a doc.go.
func checkAgentExports(t *Tree) []Violation {
	var out []Violation
	for _, p := range t.Packages {
		agent := agentOf(p.Dir)
		if agent == "" || agent == "roster" {
			continue
		}
		hasDoc, hasCode := false, false
		for _, f := range p.Files {
			hasDoc = hasDoc || path.Base(f.Path) == "doc.go"
			if f.Test {
				continue
			}
			hasCode = true
			for _, d := range f.Syntax.Decls {
				for _, name := range exportedNames(d) {
					if name.Name != "New" {
						out = append(out, t.violation(name.Pos(),
							"an agent exports only New, not %s", name.Name))
					}
				}
			}
		}
		if hasCode && !hasDoc {
			out = append(out, Violation{Path: p.Dir, What: "an agent has a doc.go"})
		}
	}
	return out
}

// exportedNames lists the exported top-level names of a declaration, methods left out.
func exportedNames(d ast.Decl) []*ast.Ident {
	var all []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			all = append(all, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			names, _ := specNames(s)
			all = append(all, names...)
		}
	}
	var out []*ast.Ident
	for _, n := range all {
		if n.IsExported() {
			out = append(out, n)
		}
	}
	return out
}

// checkAgentFields wants the fields of an agent to be wiring: nothing but New sets them. An agent
// is a type with a Step method; the types of the same package that its fields hold count with it.
func checkAgentFields(t *Tree) ([]Violation, error) {
	typed, err := t.types()
	if err != nil {
		return nil, err
	}
	var out []Violation
	for _, p := range t.Packages {
		if agent := agentOf(p.Dir); agent == "" || agent == "roster" {
			continue
		}
		checked := typed.packages[p.Dir]
		if checked == nil {
			continue
		}
		wiring := wiringTypes{}
		for _, name := range checked.types.Scope().Names() {
			if tn, ok := checked.types.Scope().Lookup(name).(*types.TypeName); ok && steps(tn) {
				addWiring(wiring, tn)
			}
		}
		for _, f := range p.Files {
			if !f.Test {
				out = append(out, t.fieldChanges(f, checked.info, wiring)...)
			}
		}
	}
	return out, nil
}

// steps reports whether a type has a Step method.
func steps(tn *types.TypeName) bool {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(tn.Type()), true, tn.Pkg(), "Step")
	_, ok := obj.(*types.Func)
	return ok
}

// wiringTypes are the types whose fields only New sets.
type wiringTypes map[*types.TypeName]bool

// addWiring adds a struct type and the struct types of its package that it holds.
func addWiring(wiring wiringTypes, tn *types.TypeName) {
	st, ok := tn.Type().Underlying().(*types.Struct)
	if !ok || wiring[tn] {
		return
	}
	wiring[tn] = true
	for i := range st.NumFields() {
		if held := named(st.Field(i).Type()); held != nil && held.Pkg() == tn.Pkg() {
			addWiring(wiring, held)
		}
	}
}

// named returns the name of a type below pointers, nil if it has none.
func named(t types.Type) *types.TypeName {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return t.Origin().Obj()
	case *types.Pointer:
		return named(t.Elem())
	}
	return nil
}

// fieldChanges finds what changes a field of a wiring type outside of New and its helpers.
func (t *Tree) fieldChanges(f *File, info *types.Info, wiring wiringTypes) (out []Violation) {
	for _, d := range f.Syntax.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil && strings.HasPrefix(strings.ToLower(fn.Name.Name), "new") {
			continue
		}
		changes(fn, func(e ast.Expr) {
			if sel := wiringField(e, info, wiring); sel != nil {
				out = append(out, t.violation(e.Pos(), "%s changes the agent's field %s",
					fn.Name.Name, sel.Sel.Name))
			}
		})
	}
	return out
}

// wiringField returns the part of an assignable expression that is a field of a wiring type.
func wiringField(e ast.Expr, info *types.Info, wiring wiringTypes) *ast.SelectorExpr {
	for ; e != nil; e = operand(e) {
		if x, ok := e.(*ast.SelectorExpr); ok {
			if tn := typeName(x.X, info); tn != nil && wiring[tn] {
				return x
			}
		}
	}
	return nil
}

// typeName returns the named type of an expression.
func typeName(e ast.Expr, info *types.Info) *types.TypeName {
	t := info.TypeOf(e)
	if t == nil {
		return nil
	}
	return named(t)
}
