// Package archtest holds the house rules as tests: which package may import which, what pure code
// may not touch, how large things may be, who owns a topic.
//
// A rule is a function over a Tree, the parsed source below one root. The tests of this package run
// every rule over the repository, and again over small trees with planted violations, to show that
// each rule can go red. Nothing is built: the source is read with go/parser, and only the rules
// about maps and agents' fields ask go/types, with the export data of other people's packages from
// the build cache.
//
// Each violation is one line, path:line: rule: what. There is no list of exceptions; the few
// allowances a rule knows stand in the table beside it. One mark in the source is understood:
//
//	for k := range m { //order: the sum does not depend on it
//
// says why an iteration over a map may be in any order.
package archtest
