package guest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest/boot"
)

// sources are the guest programs. They are built from here, not from the working tree, so that
// evetwin can build them wherever it runs.
//
//go:embed boot/*.go guestinit/*.go demo/*.go
var sources embed.FS

// modulePath and packagePath put the sources at the import path they have in the repository.
const (
	modulePath  = "github.com/evetwin/evetwin"
	packagePath = "backends/sim/qemu/guest"
)

// goVersion is the language the guest programs are written in.
const goVersion = "1.26"

// Banner starts the line a guest writes on its console when its payload is about to start; its
// boot is over then.
const Banner = boot.Banner

// Exit starts the line it writes when its payload has ended.
const Exit = boot.Exit

// Names of the guest programs.
const (
	initProgram = "guestinit"
	demoProgram = "demo"
)

// buildProgram returns the path of a guest program, built for the guest's architecture, from the
// cache or by building it. The sources decide: a changed program is built again.
func buildProgram(ctx context.Context, cache lab.Cache, name string) (string, error) {
	sum, err := sourceSum(name)
	if err != nil {
		return "", err
	}
	dir, err := cache.Entry(ctx, name+"-"+sum, func(ctx context.Context, dir string) error {
		return compile(ctx, name, filepath.Join(dir, name))
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// BuildPrograms builds what runs inside guests into the cache, so that the first guest does not
// wait for a compiler: some 10 s once, nothing after that.
func BuildPrograms(ctx context.Context, cache lab.Cache) error {
	for _, name := range []string{initProgram, demoProgram} {
		if _, err := buildProgram(ctx, cache, name); err != nil {
			return err
		}
	}
	_, err := DemoServed(ctx, cache)
	return err
}

// sourceFiles returns the files a program is made of, in a fixed order.
func sourceFiles(name string) ([]string, error) {
	var files []string
	for _, dir := range []string{"boot", name} {
		entries, err := fs.ReadDir(sources, dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), "_test.go") {
				files = append(files, path.Join(dir, entry.Name()))
			}
		}
	}
	return files, nil
}

func sourceSum(name string) (string, error) {
	files, err := sourceFiles(name)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, file := range files {
		text, err := fs.ReadFile(sources, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", file, len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// compile builds a program in a throw-away module that needs no network. All that the compiler
// writes lies beside the program until then, and no process of it outlives ctx.
func compile(ctx context.Context, name, into string) error {
	program, err := lab.Find("go")
	if err != nil {
		return fmt.Errorf("build guest program %s: %w", name, err)
	}
	work := into + ".work"
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.MkdirAll(filepath.Join(work, "tmp"), 0o700); err != nil {
		return err
	}
	if err := writeSources(work, name); err != nil {
		return err
	}
	var said bytes.Buffer
	compiler, err := child.Start(child.Options{Name: "go", Path: program, Dir: work,
		Args: []string{"build", "-trimpath", "-ldflags=-s -w", "-o", into,
			"./" + path.Join(packagePath, name)},
		Stdout: &said, Stderr: &said,
		Env: append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-buildvcs=false",
			"GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GO111MODULE=on",
			"GOTMPDIR="+filepath.Join(work, "tmp"))})
	if err != nil {
		return fmt.Errorf("build guest program %s: %w", name, err)
	}
	select {
	case <-compiler.Done():
	case <-ctx.Done():
		return fmt.Errorf("build guest program %s: %w", name, errors.Join(ctx.Err(), compiler.Kill()))
	}
	if err := compiler.Err(); err != nil {
		return fmt.Errorf("build guest program %s: %w: %s", name, err,
			strings.ReplaceAll(strings.TrimSpace(said.String()), "\n", "; "))
	}
	return nil
}

func writeSources(work, name string) error {
	files, err := sourceFiles(name)
	if err != nil {
		return err
	}
	module := "module " + modulePath + "\n\ngo " + goVersion + "\n"
	if err := os.WriteFile(filepath.Join(work, "go.mod"), []byte(module), 0o644); err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(sources, file)
		if err != nil {
			return err
		}
		to := filepath.Join(work, packagePath, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
