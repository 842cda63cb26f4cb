package board

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

// What the device was installed with is copied into memory once, whatever becomes of the partition.
func TestConfigurationIsCopiedOnceInABoot(t *testing.T) {
	if os.Getuid() != 0 {
		labtest.Missing(t, "a file system in memory needs root")
	}
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "config")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(from, "server"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := copyConfig("", to); err != nil { // they are where they lie
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(to, 0); err != nil {
			t.Error(err)
		}
		if err := unix.Unmount(to, 0); !errors.Is(err, unix.EINVAL) {
			t.Errorf("it was mounted twice: %v", err)
		}
	})
	for _, text := range []string{"one", "two"} {
		write(text)
		if err := copyConfig(from, to); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(to, "server"))
		if err != nil || string(got) != "one" {
			t.Errorf("after %s the device has %q, %v", text, got, err)
		}
	}
	if err := os.WriteFile(filepath.Join(to, "x"), nil, 0o600); !errors.Is(err, unix.EROFS) {
		t.Errorf("it can be written to: %v", err)
	}
}
