package archtest

import (
	"slices"
	"strings"
)

// room is one row of the import table.
type room struct {
	// dir is the room's folder; the longest that fits decides.
	dir string
	// may are the folders of this module it may import, beside itself.
	may []string
	// not are folders below those that it may not.
	not []string
	// alone says that its packages may not import each other.
	alone bool
	// tests are folders that its tests may import as well.
	tests []string
}

// rooms is the import rule. Every core package may import bus and agent.
var rooms = []room{
	{dir: "core"},
	{dir: "core/archtest"},
	{dir: "core/bus"},
	{dir: "core/agent", may: base, tests: coreWide},
	{dir: "core/plan", may: base},
	{dir: "core/plant"},
	{dir: "core/topics", may: base},
	// A spec of a device part may hold row types of topics: what a bridge does with the traffic of an
	// interface is written in the words of the configuration, once.
	{dir: "core/device", may: slices.Concat(base, []string{"core/topics"})},
	{dir: "core/eveapi", may: slices.Concat(base, []string{"core/topics"})},
	{dir: "core/controllerconn", tests: coreWide, not: allAgents,
		may: slices.Concat(base, []string{"core/plant", "core/topics", "core/device", "core/eveapi"})},
	{dir: "core/logspool", tests: coreWide, not: allAgents,
		may: slices.Concat(base, []string{"core/topics", "core/device"})},
	{dir: "core/fault", may: coreWide, not: allAgents},
	{dir: "core/check", may: coreWide, not: allAgents},
	{dir: "core/trace", may: coreWide, not: allAgents},
	{dir: "core/host", may: coreWide, not: allAgents},
	{dir: "core/agents", alone: true, tests: coreWide, not: allAgents,
		may: slices.Concat(base, []string{"core/topics", "core/device", "core/plan",
			"core/plant", "core/eveapi", "core/controllerconn"})},
	{dir: "core/agents/roster", tests: []string{"core/host/rig"},
		may: slices.Concat(base, allAgents)},
	{dir: "backends", may: coreWide, not: allAgents},
	{dir: "controllersim", may: []string{"core/eveapi", "core/fault"}},
	{dir: "tui", tests: coreWide, not: allAgents,
		may: slices.Concat(base, []string{"core/topics", "core/device", "core/trace"})},
	{dir: "cmd", may: everything},
	{dir: "scenarios", may: everything},
	{dir: "e2e", may: everything},
}

// The sets that the table is written with.
var (
	base       = []string{"core/bus", "core/agent"}
	coreWide   = []string{"core"}
	allAgents  = []string{"core/agents"}
	everything = []string{"core", "backends", "controllersim", "scenarios", "tui", "cmd", "e2e"}
)

// roomOf returns the row of a package, nil if it stands in no room.
func roomOf(dir string) *room {
	var best *room
	for i := range rooms {
		r := &rooms[i]
		if under(dir, r.dir) && (best == nil || len(r.dir) > len(best.dir)) {
			best = r
		}
	}
	return best
}

// checkImports compares every import of this module's packages with the table.
func checkImports(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(func(*File) bool { return true }) {
		for _, spec := range f.Syntax.Imports {
			dir, ok := t.internal(importPath(spec))
			if !ok || dir == f.pkg.Dir {
				continue
			}
			if !mayImport(f.pkg.Dir, dir, f.Test) {
				out = append(out, t.violation(spec.Pos(), "%s may not import %s", f.pkg.Dir, dir))
			}
		}
	}
	return out
}

// mayImport reports whether a package, or its tests, may import another.
func mayImport(from, to string, test bool) bool {
	r := roomOf(from)
	if r == nil {
		return false
	}
	inside := func(dir string) bool { return under(to, dir) }
	if to != "core" && under(to, r.dir) && roomOf(to) == r {
		return !r.alone || agentOf(from) == agentOf(to)
	}
	allowed := r.may
	if test {
		allowed = slices.Concat(allowed, r.tests)
	}
	return slices.ContainsFunc(allowed, inside) && !slices.ContainsFunc(r.not, inside)
}

// agentOf is the agent that a directory below core/agents belongs to, else "".
func agentOf(dir string) string {
	rest, ok := strings.CutPrefix(dir, "core/agents/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
