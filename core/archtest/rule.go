package archtest

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
)

// Rule is one house rule.
type Rule struct {
	// Name is the rule's name in the output.
	Name string
	// Check finds the violations of the rule in a tree. An error means that it could not look.
	Check func(*Tree) ([]Violation, error)
}

// Rules lists all rules, by name.
func Rules() []Rule {
	return []Rule{
		{"agent-exports", simple(checkAgentExports)},
		{"agent-fields", checkAgentFields},
		{"behaviour-name", simple(checkClaims)},
		{"doc", simple(checkDocs)},
		{"file-name", simple(checkFileNames)},
		{"folder", simple(checkFolders)},
		{"import", simple(checkImports)},
		{"init", simple(checkInit)},
		{"map-order", checkMapOrder},
		{"package-variable", simple(checkVariables)},
		{"pure", simple(checkPurity)},
		{"size", simple(checkSizes)},
		{"test-habit", simple(checkTestHabits)},
		{"topic-owner", simple(checkTopics)},
		{"type-name", simple(checkTypeNames)},
		{"words", simple(checkWords)},
	}
}

// simple wraps a rule that can always look.
func simple(check func(*Tree) []Violation) func(*Tree) ([]Violation, error) {
	return func(t *Tree) ([]Violation, error) { return check(t), nil }
}

// Violation is one place that breaks a rule.
type Violation struct {
	// Path is the file below the root, Line the line in it, from 1; 0 is the file as a whole.
	Path string
	Line int
	// What says what is wrong.
	What string
}

// violation makes one at a position.
func (t *Tree) violation(pos token.Pos, format string, args ...any) Violation {
	at := t.fset.Position(pos)
	return Violation{Path: at.Filename, Line: at.Line, What: fmt.Sprintf(format, args...)}
}

// Report runs rules over a tree and returns one line per violation, path:line: rule: what, sorted.
func Report(t *Tree, rules ...Rule) ([]string, error) {
	type found struct {
		Violation
		rule string
	}
	var all []found
	for _, r := range rules {
		list, err := r.Check(t)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Name, err)
		}
		for _, v := range list {
			all = append(all, found{v, r.Name})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.rule, b.rule), cmp.Compare(a.What, b.What))
	})
	lines := make([]string, len(all))
	for i, v := range all {
		lines[i] = fmt.Sprintf("%s:%d: %s: %s", v.Path, v.Line, v.rule, v.What)
	}
	return slices.Compact(lines), nil
}
