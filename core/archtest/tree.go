package archtest

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Tree is the parsed source of one module.
type Tree struct {
	// Root is the directory of go.mod.
	Root string
	// Module is the module's path.
	Module string
	// Packages are its packages, sorted by directory.
	Packages []*Package
	// Entries are the names in the root directory, directories with a slash at the end.
	Entries []string

	fset   *token.FileSet
	byPath map[string]*Package
	typed  *typed
}

// Package is one directory with Go files, external test package included.
type Package struct {
	// Dir is the directory below the root, with slashes; "." is the root itself.
	Dir string
	// Name is the name of the package without _test.
	Name string
	// Files are its files, sorted by name.
	Files []*File
}

// File is one Go file.
type File struct {
	// Path is the file's path below the root.
	Path string
	// Test says whether it is a test file.
	Test bool
	// Generated says whether it is marked as generated code.
	Generated bool
	// Syntax is the parsed file.
	Syntax *ast.File
	// Source is its text.
	Source []byte

	pkg *Package
}

// FindRoot returns the directory of the go.mod at or above dir.
func FindRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find go.mod: none at or above %s", dir)
		}
	}
}

// Load parses every Go file below root that belongs to its module: not testdata, not hidden or
// underscored directories, not nested modules.
func Load(root string) (*Tree, error) {
	t := &Tree{Root: root, fset: token.NewFileSet(), byPath: map[string]*Package{}}
	if err := t.readModule(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		t.Entries = append(t.Entries, name)
	}
	if err := filepath.WalkDir(root, t.visit); err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	slices.SortFunc(t.Packages, func(a, b *Package) int { return strings.Compare(a.Dir, b.Dir) })
	return t, nil
}

// readModule takes the module's path from go.mod.
func (t *Tree) readModule() error {
	data, err := os.ReadFile(filepath.Join(t.Root, "go.mod"))
	if err != nil {
		return fmt.Errorf("read tree: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			t.Module = strings.TrimSpace(name)
			return nil
		}
	}
	return fmt.Errorf("read tree: %s/go.mod names no module", t.Root)
}

// visit takes in one directory entry.
func (t *Tree) visit(full string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	name := d.Name()
	if d.IsDir() {
		if full == t.Root {
			return nil
		}
		if name == "testdata" || name[0] == '.' || name[0] == '_' {
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(full, "go.mod")); err == nil {
			return filepath.SkipDir
		}
		return nil
	}
	if !strings.HasSuffix(name, ".go") {
		return nil
	}
	rel, err := filepath.Rel(t.Root, full)
	if err != nil {
		return err
	}
	return t.parse(filepath.ToSlash(rel))
}

// parse reads one file into its package.
func (t *Tree) parse(rel string) error {
	source, err := os.ReadFile(filepath.Join(t.Root, rel))
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.fset, rel, source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse %s: %w", rel, err)
	}
	dir := path.Dir(rel)
	p := t.byPath[dir]
	if p == nil {
		p = &Package{Dir: dir}
		t.byPath[dir] = p
		t.Packages = append(t.Packages, p)
	}
	f := &File{Path: rel, Test: strings.HasSuffix(rel, "_test.go"), Syntax: syntax,
		Generated: ast.IsGenerated(syntax), Source: source, pkg: p}
	if !f.Test || p.Name == "" {
		p.Name = strings.TrimSuffix(syntax.Name.Name, "_test")
	}
	p.Files = append(p.Files, f)
	return nil
}

// files yields every file of the tree that pick accepts.
func (t *Tree) files(pick func(*File) bool) func(yield func(*File) bool) {
	return func(yield func(*File) bool) {
		for _, p := range t.Packages {
			for _, f := range p.Files {
				if pick(f) && !yield(f) {
					return
				}
			}
		}
	}
}

// written accepts the files that people write.
func written(f *File) bool { return !f.Generated }

// code accepts the written files that are not tests.
func code(f *File) bool { return !f.Generated && !f.Test }

// under reports whether a directory is dir or lies below it.
func under(at, dir string) bool { return at == dir || strings.HasPrefix(at, dir+"/") }

// internal returns the directory of an import path of this module.
func (t *Tree) internal(importPath string) (dir string, ok bool) {
	if importPath == t.Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, t.Module+"/")
}

// importPath is the path that an import names.
func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}
