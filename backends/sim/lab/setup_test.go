package lab_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

func TestAbsentReadsDpkg(t *testing.T) {
	listing := "a installed\nb config-files\nc not-installed\n"
	got := lab.Absent([]string{"a", "b", "c", "d"}, []byte(listing))
	if want := []string{"b", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("absent are %v, want %v", got, want)
	}
}

// TestSetupWithoutRights lets Setup look for packages that are not there, on a machine whose
// user is not root and has no sudo: stand-ins for dpkg-query and apt on PATH.
func TestSetupWithoutRights(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("running as root: apt-get is tried and refuses")
	}
	bin := t.TempDir()
	for name, body := range map[string]string{
		"dpkg-query": "echo qemu-utils installed; exit 1",
		"apt-get":    "echo E: cannot >&2; exit 100",
		"apt-cache":  "exit 100",
		"sudo":       "exit 1",
		"env":        "shift; exec \"$@\"",
	} {
		text := "#!/bin/sh\n" + body + "\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	var said bytes.Buffer
	got, err := lab.Setup(context.Background(),
		lab.Options{Cache: lab.Cache{Dir: t.TempDir()}, Out: &said})
	if err != nil {
		t.Fatalf("a user without rights is no error: %v", err)
	}
	if slices.Contains(got.Missing, "qemu-utils") || !slices.Contains(got.Missing, "swtpm") {
		t.Errorf("missing are %v", got.Missing)
	}
	if n := strings.Count(said.String(), got.Command); n != 1 || got.Command == "" {
		t.Errorf("the command %q stands %d times in:\n%s", got.Command, n, said.String())
	}
	if len(got.Faults) == 0 || got.Kernel.Path != "" {
		t.Errorf("faults are %v, kernel is %+v", got.Faults, got.Kernel)
	}
}

func TestSetupAgainChangesNothing(t *testing.T) {
	labtest.Kernel(t)
	missing, err := lab.MissingPackages(context.Background())
	if err != nil || len(missing) > 0 {
		labtest.Missing(t, fmt.Sprintf("packages %v (%v): run make setup", missing, err))
	}
	got, err := lab.Setup(context.Background(), lab.Options{Cache: labtest.Cache()})
	if err != nil || len(got.Faults) > 0 {
		t.Fatalf("setup: %v, faults %v", err, got.Faults)
	}
	if len(got.Installed) > 0 || got.Command != "" || got.Kernel.Path == "" {
		t.Errorf("setup did something: %+v", got)
	}
}

// TestKernelModulesInOrder checks the real kernel's modules against each other: none may come
// before one it needs.
func TestKernelModulesInOrder(t *testing.T) {
	kernel := labtest.Kernel(t)
	files, err := kernel.Modules(lab.WantedModules()...)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		object, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		module, err := lab.DescribeModule(object)
		if err != nil {
			t.Fatal(err)
		}
		for _, before := range module.After {
			if !seen[before] {
				t.Errorf("%s comes before %s, which it needs", module.Name, before)
			}
		}
		seen[module.Name] = true
	}
	if _, err := kernel.Modules("nothing_like_it"); err == nil {
		t.Error("a module that does not exist is found")
	}
}

func TestSoftDependencies(t *testing.T) {
	got := lab.SoftBefore("pre: crc32c-generic sha512 post: late")
	if want := []string{"crc32c_generic", "sha512"}; !slices.Equal(got, want) {
		t.Errorf("soft dependencies are %v, want %v", got, want)
	}
}

func TestVersionOrder(t *testing.T) {
	versions := []string{"6.1.0-56", "6.1.0-9", "6.12.0-1", "6.1.0-056a", "6.1.0"}
	slices.SortFunc(versions, lab.CompareVersions)
	want := []string{"6.1.0", "6.1.0-9", "6.1.0-56", "6.1.0-056a", "6.12.0-1"}
	if !slices.Equal(versions, want) {
		t.Errorf("order is %v, want %v", versions, want)
	}
}

// TestVmlinuxRefusesRubbish cuts and twists an image at every place that matters.
func TestVmlinuxRefusesRubbish(t *testing.T) {
	image := make([]byte, 4096)
	copy(image[0x202:], "HdrS")
	image[0x206], image[0x207] = 0x0f, 2
	image[0x24c] = 0xff
	for name, bad := range map[string][]byte{
		"nothing": nil, "short": image[:0x240], "payload cut": image[:0x250], "unknown": image,
	} {
		if _, err := lab.Vmlinux(bad); err == nil {
			t.Errorf("%s: taken for a kernel", name)
		}
	}
}

// TestKernelPackageNames feeds an archive whose names try to leave the folder.
func TestKernelPackageNames(t *testing.T) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, name := range []string{"../../vmlinuz-1", "/etc/x.ko", "./lib/y.ko.xz", "./doc/README"} {
		if err := writer.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	if err := lab.TakeKernelFiles(tar.NewReader(&archive), into); err != nil {
		t.Fatal(err)
	}
	var got []string
	entries, _ := os.ReadDir(into)
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if want := []string{"vmlinuz-1", "x.ko", "y.ko.xz"}; !slices.Equal(got, want) {
		t.Errorf("took %v, want %v", got, want)
	}
}

func TestFindKernelSaysWhatToDo(t *testing.T) {
	_, err := lab.FindKernel(lab.Cache{Dir: t.TempDir()})
	if !errors.Is(err, lab.ErrNoKernel) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("got %v", err)
	}
}
