package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// processNames are the agents whose topics carry another name than their folder.
var processNames = map[string]string{
	"client": "zedclient", "zedagentinfo": "zedagent-info", "zedagentmetrics": "zedagent-metrics",
	"zedagentflowlog": "zedagent-flowlog", "zedrouterflows": "zedrouter-flows",
}

// topic is one declaration of a topic or of a member of a family.
type topic struct {
	owner, name string
	pos         token.Pos
	variable    string // directory.Variable
}

// checkTopics wants one declaration per owner and name, with both as plain strings, and every
// agent to publish topics of its own.
func checkTopics(t *Tree) []Violation {
	topics, out := readTopics(t)
	first := map[string]token.Pos{}
	owners := map[string][]string{}
	for _, d := range topics {
		id := d.owner + "/" + d.name
		if at, ok := first[id]; ok {
			out = append(out, t.violation(d.pos, "%s is declared at %s already", id,
				t.fset.Position(at)))
			continue
		}
		first[id] = d.pos
		owners[d.variable] = append(owners[d.variable], d.owner)
	}
	for f := range t.files(code) {
		if agent := agentOf(f.pkg.Dir); agent != "" && agent != "roster" {
			out = append(out, t.foreignPublishes(f, agent, owners)...)
		}
	}
	return out
}

// collectTopics lists the declared topics.
func collectTopics(t *Tree) []topic {
	topics, _ := readTopics(t)
	return topics
}

// readTopics finds every declaration of a topic in code.
func readTopics(t *Tree) (topics []topic, out []Violation) {
	for f := range t.files(code) {
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
				for i, v := range spec.Values {
					call, kind := declaration(f, v)
					if call == nil || i >= len(spec.Names) {
						continue
					}
					found, err := t.readDeclaration(f, call, kind)
					if err != nil {
						out = append(out, t.violation(call.Pos(), "%v", err))
					}
					for _, d := range found {
						d.pos, d.variable = call.Pos(), f.pkg.Dir+"."+spec.Names[i].Name
						topics = append(topics, d)
					}
				}
			}
		}
	}
	return topics, out
}

// declaration recognizes a call of bus.NewTopic or bus.NewFamily.
func declaration(f *File, e ast.Expr) (call *ast.CallExpr, kind string) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return nil, ""
	}
	fun := call.Fun
	if x, ok := fun.(*ast.IndexExpr); ok {
		fun = x.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return nil, ""
	}
	p, ok := qualifier(sel, importNames(f))
	if !ok || path.Base(p) != "bus" || sel.Sel.Name != "NewTopic" && sel.Sel.Name != "NewFamily" {
		return nil, ""
	}
	return call, sel.Sel.Name
}

// readDeclaration reads the topics that one call declares.
func (t *Tree) readDeclaration(f *File, call *ast.CallExpr, kind string) ([]topic, error) {
	if len(call.Args) == 0 {
		return nil, fmt.Errorf("%s without a bus.Decl", kind)
	}
	lit, ok := call.Args[0].(*ast.CompositeLit)
	if !ok {
		return nil, fmt.Errorf("%s without a literal bus.Decl", kind)
	}
	fields := map[string]ast.Expr{}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if k, ok := kv.Key.(*ast.Ident); ok {
				fields[k.Name] = kv.Value
			}
		}
	}
	name, ok := t.text(f, fields["Name"])
	if !ok {
		return nil, fmt.Errorf("the Name of a topic is not a plain string")
	}
	owners := []ast.Expr{fields["Owner"]}
	if kind == "NewFamily" {
		owners = t.spread(f, call)
	}
	var topics []topic
	for _, e := range owners {
		owner, ok := t.text(f, e)
		if !ok {
			return nil, fmt.Errorf("an Owner of %s is not a plain string", name)
		}
		topics = append(topics, topic{owner: owner, name: name})
	}
	return topics, nil
}

// spread lists the owners of a family, also when they stand in a list variable of the package.
func (t *Tree) spread(f *File, call *ast.CallExpr) []ast.Expr {
	args := call.Args[1:]
	if call.Ellipsis == token.NoPos || len(args) != 1 {
		return args
	}
	e := args[0]
	if id, ok := e.(*ast.Ident); ok {
		e = valueOf(f.pkg, id.Name)
	}
	if lit, ok := e.(*ast.CompositeLit); ok {
		return lit.Elts
	}
	return args
}

// text evaluates a string literal or a string constant of this package or of another of the module.
func (t *Tree) text(f *File, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		lit, ok := valueOf(f.pkg, e.Name).(*ast.BasicLit)
		if !ok {
			return "", false
		}
		return t.text(f, lit)
	case *ast.SelectorExpr:
		p, _ := qualifier(e, importNames(f))
		dir, _ := t.internal(p)
		if other := t.byPath[dir]; other != nil {
			if lit, ok := valueOf(other, e.Sel.Name).(*ast.BasicLit); ok {
				return t.text(f, lit)
			}
		}
	}
	return "", false
}

// valueOf returns the value that a package gives a constant or variable.
func valueOf(p *Package, name string) ast.Expr {
	for _, f := range p.Files {
		for _, d := range f.Syntax.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range gen.Specs {
				spec, ok := s.(*ast.ValueSpec)
				if !ok {
					continue
				}
				i := slices.IndexFunc(spec.Names, func(n *ast.Ident) bool { return n.Name == name })
				if i >= 0 && i < len(spec.Values) {
					return spec.Values[i]
				}
			}
		}
	}
	return nil
}

// foreignPublishes finds bus.Publish of a topic that another agent owns.
func (t *Tree) foreignPublishes(f *File, agent string, owners map[string][]string) []Violation {
	own := agent
	if name, ok := processNames[agent]; ok {
		own = name
	}
	var out []Violation
	names := importNames(f)
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 || !isName(plainFun(call), names, t.Module+"/core/bus",
			"Publish") {
			return true
		}
		variable, member, known := t.published(f, call.Args[1])
		switch {
		case !known:
			out = append(out, t.violation(call.Pos(), "publishes a topic that is not a variable"))
		case member != "" && member != own:
			out = append(out, t.violation(call.Pos(), "publishes %s of %s", variable, member))
		case member == "" && len(owners[variable]) > 0 && !slices.Contains(owners[variable], own):
			out = append(out, t.violation(call.Pos(), "publishes %s, which belongs to %s", variable,
				owners[variable][0]))
		case len(owners[variable]) == 0:
			out = append(out, t.violation(call.Pos(), "publishes %s, which is not declared",
				variable))
		}
		return true
	})
	return out
}

// plainFun is the function of a call without type arguments.
func plainFun(call *ast.CallExpr) ast.Expr {
	if x, ok := call.Fun.(*ast.IndexExpr); ok {
		return x.X
	}
	return call.Fun
}

// published names the topic variable that an expression picks, and the member if it picks one of
// a family by a plain string. Families asked for the agent's own name have the member "".
func (t *Tree) published(f *File, e ast.Expr) (variable, member string, ok bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return f.pkg.Dir + "." + e.Name, "", true
	case *ast.SelectorExpr:
		p, ok := qualifier(e, importNames(f))
		dir, inside := t.internal(p)
		return dir + "." + e.Sel.Name, "", ok && inside
	case *ast.CallExpr:
		sel, isSel := e.Fun.(*ast.SelectorExpr)
		if !isSel || sel.Sel.Name != "Of" || len(e.Args) != 1 {
			return "", "", false
		}
		variable, _, ok = t.published(f, sel.X)
		member, _ = t.text(f, e.Args[0])
		return variable, member, ok
	}
	return "", "", false
}
