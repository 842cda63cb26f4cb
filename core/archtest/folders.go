package archtest

import (
	"path"
	"slices"
	"strings"
)

// topLevel is all that may stand in the root; bin/ and dist/ are build output and not in git.
var topLevel = []string{
	".ci/", ".git", ".git/", ".github/", ".gitignore", ".golangci.yml", "ARCHITECTURE.md",
	"CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "backends/", "bin/",
	"cmd/", "controllersim/", "core/", "dist/", "e2e/", "go.mod", "go.sum", "scenarios/", "tui/",
}

// coreRooms are the folders of core.
var coreRooms = []string{
	"agent", "agents", "archtest", "bus", "check", "controllerconn", "device", "eveapi", "fault",
	"host", "logspool", "plan", "plant", "topics", "trace",
}

// vagueNames are file names that say nothing about an idea.
var vagueNames = []string{
	"common", "helper", "helpers", "misc", "type", "types", "util", "utils",
}

// checkFolders keeps the root and core to the rooms they have.
func checkFolders(t *Tree) []Violation {
	var out []Violation
	for _, name := range t.Entries {
		if !slices.Contains(topLevel, name) {
			out = append(out, Violation{Path: strings.TrimSuffix(name, "/"),
				What: "the top level has no place for it"})
		}
	}
	for _, p := range t.Packages {
		rest, inCore := strings.CutPrefix(p.Dir, "core/")
		room, _, _ := strings.Cut(rest, "/")
		if inCore && !slices.Contains(coreRooms, room) {
			out = append(out, Violation{Path: p.Dir, What: "core has no room " + room})
		}
	}
	return out
}

// checkFileNames refuses file names that say nothing.
func checkFileNames(t *Tree) []Violation {
	var out []Violation
	for f := range t.files(func(*File) bool { return true }) {
		name := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.Path), ".go"), "_test")
		if slices.Contains(vagueNames, name) {
			out = append(out, Violation{Path: f.Path, What: "name the file after its idea"})
		}
	}
	return out
}
