package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	device "github.com/evetwin/evetwin/core/device/store"
)

// The name of the controller changes on the partition first and then in the copy in memory, which
// stays read-only; where the partition fails, neither changes.
func TestDEV46_BothCopiesOfTheServerChange(t *testing.T) {
	disk := looptest.New(t, looptest.Options{MiB: 16}) // it needs root, too
	from, root := filepath.Join(disk.Dir, "part"), t.TempDir()
	to := filepath.Join(root, "config")
	must(t, os.Mkdir(from, 0o700))
	must(t, os.WriteFile(filepath.Join(from, "server"), []byte("old.example"), 0o644))
	must(t, CopyConfig(from, to))
	t.Cleanup(func() { must(t, unmount(to)) })
	r := up(t, Options{Root: root, ConfigFrom: from})
	set := func(name string) string {
		if _, f := r.setServer(t.Context(), &device.SetServerReq{Server: name}); f != nil {
			return f.Code
		}
		return ""
	}
	both := func(want string) {
		t.Helper()
		for _, dir := range []string{from, to} {
			if got, err := os.ReadFile(filepath.Join(dir, "server")); err != nil || string(got) != want {
				t.Errorf("%s has %q, want %q: %v", dir, got, want, err)
			}
		}
		files, _ := rows(t, r, r.files)
		if f := files[device.FileKey(device.ServerFile)]; f.Sha256 != sum([]byte(want)) {
			t.Errorf("the file is seen as %+v, want %q", f, want)
		}
	}
	if code := set("new.example:8443"); code != "" {
		t.Errorf("a new server is refused: %s", code)
	}
	both("new.example:8443")
	if code := set("https://new.example"); code != device.FaultRefused {
		t.Errorf("a URL got the fault %q", code)
	}
	err := os.WriteFile(filepath.Join(to, "server"), nil, 0o644)
	if !errors.Is(err, unix.EROFS) {
		t.Errorf("the copy can be changed: %v", err)
	}
	must(t, os.Rename(from, from+"-away"))
	if code := set("late.example"); code == "" {
		t.Error("a partition that is gone has the new name")
	}
	must(t, os.Rename(from+"-away", from))
	both("new.example:8443")
}
