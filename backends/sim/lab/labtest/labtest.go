// Package labtest is for tests that use real parts. A part that is not installed fails them, with
// the command that installs it; only who says that parts are optional gets a skip.
package labtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// PartsVariable is the environment variable that, set to "optional", lets tests skip what needs
// a part that is not installed. Anything else makes a missing part a failure.
const PartsVariable = "EVETWIN_PARTS"

// Kernel returns the guest kernel for a test of real parts and fails the test without it.
func Kernel(t testing.TB) lab.Kernel {
	t.Helper()
	kernel, err := lab.FindKernel(Cache())
	if err != nil {
		Missing(t, err.Error())
	}
	return kernel
}

// Program returns the path of a program for a test of real parts, and fails the test without
// it, with the command that installs it.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := lab.Find(name)
	if err != nil {
		Missing(t, err.Error()+": run make setup")
	}
	return path
}

// Cache returns the cache that Setup fills.
func Cache() lab.Cache { return lab.Cache{Dir: lab.DefaultDirs().Cache} }

// Missing ends a test whose part is not there: a failure, or a skip where parts are optional.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(PartsVariable) == "optional" {
		t.Skipf("%s (%s=optional)", what, PartsVariable)
	}
	t.Fatalf("%s (or set %s=optional)", what, PartsVariable)
}

// Offspring returns the command lines of this process's living children, so that a test can
// assert that nothing was left behind.
func Offspring() []string {
	var found []string
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, pid := range strings.Fields(string(text)) {
			line, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
			found = append(found, pid+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
