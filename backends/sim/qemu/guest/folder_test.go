package guest_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
)

// A folder becomes a root with the same files: contents, links, modes, attributes.
func TestAFolderBecomesARoot(t *testing.T) {
	dir := t.TempDir()
	root, config := filepath.Join(dir, "rootfs"), filepath.Join(dir, "image-config.json")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(root, "bin"), 0o755))
	must(os.WriteFile(filepath.Join(root, "bin/a"), []byte("twenty bytes of text"), 0o750))
	must(os.Link(filepath.Join(root, "bin/a"), filepath.Join(root, "bin/b")))
	must(os.Symlink("a", filepath.Join(root, "bin/c")))
	must(unix.Mkfifo(filepath.Join(root, "pipe"), 0o600))
	must(os.WriteFile(config, []byte(`{"config":{"Entrypoint":["/bin/a"],"Env":["K=V"]}}`), 0o600))
	marked := unix.Setxattr(filepath.Join(root, "bin/a"), "user.mark", []byte("x"), 0) == nil
	img, err := guest.FromFolder(root, config)
	must(err)
	if len(img.Config.Entrypoint) != 1 || img.Config.Entrypoint[0] != "/bin/a" {
		t.Fatalf("the configuration is %+v", img.Config)
	}
	tree, err := img.Tree(dir)
	must(err)
	defer tree.Close()
	if n := tree.Size(); n != 20 {
		t.Errorf("the root has %d bytes of files, not those of one file with two names", n)
	}
	var packed bytes.Buffer
	must(tree.WriteTar(&packed))
	got := map[string]*tar.Header{}
	for r := tar.NewReader(&packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(err)
		got[strings.Trim(h.Name, "./")] = h
	}
	a, b, c, pipe := got["bin/a"], got["bin/b"], got["bin/c"], got["pipe"]
	if a == nil || b == nil || c == nil || pipe == nil {
		t.Fatalf("the root has %v", got)
	}
	if a.Mode != 0o750 || b.Linkname == "" || c.Linkname != "a" || pipe.Typeflag != tar.TypeFifo {
		t.Errorf("the root is %+v, %+v, %+v, %+v", a, b, c, pipe)
	}
	if marked && a.PAXRecords["SCHILY.xattr.user.mark"] != "x" {
		t.Errorf("the attributes are %v", a.PAXRecords)
	}
}

func TestAFolderWithoutConfigurationIsRefused(t *testing.T) {
	if _, err := guest.FromFolder(t.TempDir(), "/nowhere"); err == nil {
		t.Fatal("taken")
	}
}
