package archtest

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// unfinished are marks of work that was left.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

// emptyOpenings are ways to begin an error text that say nothing.
var emptyOpenings = []string{"failed to", "unable to", "could not", "error while", "error when"}

// vagueSuffixes are ends of type names that say nothing.
var vagueSuffixes = []string{"Manager", "Handler", "Info"}

// eveTypes are EVE's names of types that rows of core/topics are made of; they stay EVE's.
var eveTypes = []string{"VifInfo"}

// checkWords finds marks of unfinished work and error texts that do not say what was tried.
func checkWords(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(written) {
		for _, group := range f.Syntax.Comments {
			for _, c := range group.List {
				if m := unfinished.FindString(c.Text); m != "" {
					out = append(out, t.violation(c.Pos(), "%s in a comment", m))
				}
			}
		}
		names := importNames(f)
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !isName(call.Fun, names, "fmt", "Errorf") &&
				!isName(call.Fun, names, "errors", "New") {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text := strings.ToLower(strings.Trim(lit.Value, "\"`"))
			for _, opening := range emptyOpenings {
				if strings.HasPrefix(text, opening) {
					out = append(out, t.violation(lit.Pos(), "error text begins with %q", opening))
				}
			}
			return true
		})
	}
	return out
}

// checkTypeNames refuses suffixes that say nothing, but in names of EVE's: those of topics and of
// what their rows are made of.
func checkTypeNames(t *Tree) []Violation {
	eves := map[string]bool{}
	for _, d := range collectTopics(t) {
		eves[d.name] = true
	}
	var out []Violation
	for f := range t.files(written) {
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || eves[spec.Name.Name] || under(f.pkg.Dir, "core/topics") &&
				slices.Contains(eveTypes, spec.Name.Name) {
				return true
			}
			for _, suffix := range vagueSuffixes {
				if rest, found := strings.CutSuffix(spec.Name.Name, suffix); found && rest != "" {
					out = append(out, t.violation(spec.Pos(), "type %s ends in %s",
						spec.Name.Name, suffix))
				}
			}
			return true
		})
	}
	return out
}
