package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// typed holds what go/types knows of the pure packages and of what they import in this module.
type typed struct {
	tree     *Tree
	packages map[string]*checked // by directory
	others   types.Importer
}

// checked is one type-checked package. Type errors do not matter here: the compiler reports them.
type checked struct {
	types *types.Package
	info  *types.Info
}

// types type-checks the pure packages, once.
func (t *Tree) types() (*typed, error) {
	if t.typed != nil {
		return t.typed, nil
	}
	ty := &typed{tree: t, packages: map[string]*checked{}}
	exports, err := t.exports()
	if err != nil {
		return nil, err
	}
	ty.others = importer.ForCompiler(t.fset, "gc", func(p string) (io.ReadCloser, error) {
		file, ok := exports[p]
		if !ok {
			return nil, fmt.Errorf("import %s: no export data", p)
		}
		return os.Open(file)
	})
	for _, p := range t.Packages {
		if isPure(p.Dir) {
			ty.check(p)
		}
	}
	t.typed = ty
	return ty, nil
}

// check type-checks one package from its syntax.
func (ty *typed) check(p *Package) *types.Package {
	if c := ty.packages[p.Dir]; c != nil {
		return c.types
	}
	c := &checked{info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{},
		Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}}}
	ty.packages[p.Dir] = c
	var files []*ast.File
	for _, f := range p.Files {
		if !f.Test && builds(ty.tree.Root, f.Path) {
			files = append(files, f.Syntax)
		}
	}
	config := types.Config{Importer: ty, Error: func(error) {}}
	full := path.Join(ty.tree.Module, p.Dir)
	c.types, _ = config.Check(full, ty.tree.fset, files, c.info)
	return c.types
}

// builds reports whether a file belongs to the build of this platform.
func builds(root, file string) bool {
	ok, err := build.Default.MatchFile(filepath.Join(root, path.Dir(file)), path.Base(file))
	return ok && err == nil
}

// Import implements types.Importer: packages of the module from source, others from export data.
func (ty *typed) Import(p string) (*types.Package, error) {
	dir, ok := ty.tree.internal(p)
	if !ok {
		return ty.others.Import(p)
	}
	inside := ty.tree.byPath[dir]
	if inside == nil {
		return nil, fmt.Errorf("import %s: no such package", p)
	}
	if found := ty.check(inside); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("import %s: import cycle", p)
}

// exports asks the go command for the export data of all that the pure packages import from
// outside of the module. What cannot be had stays unknown.
func (t *Tree) exports() (map[string]string, error) {
	seen := map[string]bool{}
	var outside []string
	var follow func(p *Package)
	follow = func(p *Package) {
		for _, f := range p.Files {
			for _, spec := range f.Syntax.Imports {
				name := importPath(spec)
				if f.Test || seen[name] || name == "unsafe" || name == "C" {
					continue
				}
				seen[name] = true
				if dir, ok := t.internal(name); !ok {
					outside = append(outside, name)
				} else if t.byPath[dir] != nil {
					follow(t.byPath[dir])
				}
			}
		}
	}
	for _, p := range t.Packages {
		if isPure(p.Dir) {
			follow(p)
		}
	}
	if len(outside) == 0 {
		return nil, nil
	}
	slices.Sort(outside)
	args := []string{"list", "-e", "-export", "-deps", "-f",
		"{{if .Export}}{{.ImportPath}}\t{{.Export}}{{end}}"}
	cmd := exec.Command("go", append(args, outside...)...)
	cmd.Dir = t.Root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	data, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export: %w: %s", err, &stderr)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			files[name] = file
		}
	}
	return files, nil
}
