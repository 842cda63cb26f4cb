package guest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
)

// layer builds a layer from lines: "dir/" is a folder, "a=text" a file, "a->b" a symbolic link,
// "a=>b" a hard link, "a" an empty file.
func layer(t *testing.T, lines ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, line := range lines {
		header := &tar.Header{Name: line, Mode: 0o644, Typeflag: tar.TypeReg,
			ModTime: time.Unix(1000, 0), Uid: 7}
		content := ""
		if name, target, ok := strings.Cut(line, "=>"); ok {
			header.Name, header.Linkname, header.Typeflag = name, target, tar.TypeLink
		} else if name, target, ok := strings.Cut(line, "->"); ok {
			header.Name, header.Linkname, header.Typeflag = name, target, tar.TypeSymlink
		} else if name, text, ok := strings.Cut(line, "="); ok {
			header.Name, content = name, text
		} else if strings.HasSuffix(line, "/") {
			header.Typeflag, header.Mode = tar.TypeDir, 0o755
		}
		header.Size = int64(len(content))
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// merge merges layers and lists the result from the archive it is written to.
func merge(t *testing.T, layers ...[]byte) []string {
	t.Helper()
	tree := treeOf(t, layers...)
	var out bytes.Buffer
	if err := tree.WriteTar(&out); err != nil {
		t.Fatal(err)
	}
	var got []string
	archive := tar.NewReader(&out)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		line := header.Name
		switch header.Typeflag {
		case tar.TypeSymlink:
			line += "->" + header.Linkname
		case tar.TypeLink:
			line += "=>" + header.Linkname
		case tar.TypeReg:
			line += "=" + string(text)
		}
		got = append(got, line)
	}
}

func treeOf(t *testing.T, layers ...[]byte) *guest.Tree {
	t.Helper()
	tree, err := guest.NewTree(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Close() })
	for _, one := range layers {
		if err := tree.Add(bytes.NewReader(one)); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func TestMergeLayers(t *testing.T) {
	base := layer(t, "bin/", "bin/sh=shell", "etc/", "etc/a=1", "etc/b=2", "lib->usr/lib",
		"usr/", "usr/lib/", "usr/lib/x=lib")
	for name, c := range map[string]struct {
		layers [][]byte
		want   string
	}{
		"upper wins": {[][]byte{base, layer(t, "etc/a=new")},
			"bin/ bin/sh=shell etc/ etc/a=new etc/b=2 lib->usr/lib usr/ usr/lib/ usr/lib/x=lib"},
		"whiteout": {[][]byte{base, layer(t, "etc/.wh.a", ".wh.bin")},
			"etc/ etc/b=2 lib->usr/lib usr/ usr/lib/ usr/lib/x=lib"},
		"whiteout spares its own layer": {
			[][]byte{base, layer(t, "etc/c=3", ".wh.etc", "bin/sh=new", "bin/.wh.sh")},
			"bin/ bin/sh=new etc/ etc/c=3 lib->usr/lib usr/ usr/lib/ usr/lib/x=lib"},
		"opaque": {[][]byte{base, layer(t, "etc/c=3", "etc/.wh..wh..opq", ".wh.usr", ".wh.lib")},
			"bin/ bin/sh=shell etc/ etc/c=3"},
		"folder becomes file": {[][]byte{base, layer(t, "etc=flat", ".wh.usr", ".wh.lib")},
			"bin/ bin/sh=shell etc=flat"},
		"file becomes folder": {[][]byte{layer(t, "a=1"), layer(t, "a/b=2")}, "a/ a/b=2"},
		"through a link": {[][]byte{base, layer(t, "lib/y=more", ".wh.bin", ".wh.etc")},
			"lib->usr/lib usr/ usr/lib/ usr/lib/x=lib usr/lib/y=more"},
		"hard links": {[][]byte{layer(t, "a=1", "b=>a"), layer(t, "d/c=>b", "a=2")},
			"a=2 b=1 d/ d/c=>b"},
		"names stay inside": {[][]byte{layer(t, "../../x=1", "/abs=2", "./d/../y=3",
			"up->../../..", "up/z=4")}, "abs=2 up->../../.. x=1 y=3 z=4"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(merge(t, c.layers...), " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	whole := layer(t, "a=some content that is long enough")
	for name, bad := range map[string][]byte{
		"hard link to nothing": layer(t, "a=>b"),
		"links in a circle":    layer(t, "a->b", "b->a", "a/c=1"),
		"cut short":            whole[:len(whole)-1530],
		"bad gzip":             {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3},
	} {
		tree, err := guest.NewTree(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		err = tree.Add(bytes.NewReader(bad))
		if err == nil || !strings.HasPrefix(err.Error(), "layer 1: ") {
			t.Errorf("%s: got %v", name, err)
		}
		_ = tree.Close()
	}
}

func TestPackedLayers(t *testing.T) {
	plain := layer(t, "a=1")
	var zipped, zstded bytes.Buffer
	gz := gzip.NewWriter(&zipped)
	zs, err := zstd.NewWriter(&zstded)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{gz, zs} {
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, packed := range [][]byte{plain, zipped.Bytes(), zstded.Bytes()} {
		if got := merge(t, packed); !slices.Equal(got, []string{"a=1"}) {
			t.Errorf("got %v", got)
		}
	}
}

// TestInitramfsOfTree reads the archive back: attributes, one content per hard-linked file, and
// the same bytes each time.
func TestInitramfsOfTree(t *testing.T) {
	write := func() []byte {
		tree := treeOf(t, layer(t, "z=last", "d/", "d/a=text", "b=>d/a", "l->d"))
		format, err := cpio.Format("newc")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := tree.WriteCPIO(format.Writer(&out), "root"); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	image := write()
	if !bytes.Equal(image, write()) {
		t.Error("equal trees make different archives")
	}
	format, _ := cpio.Format("newc")
	reader := format.Reader(bytes.NewReader(image))
	var got []string
	inode := map[string]uint64{}
	for {
		record, err := reader.ReadRecord()
		if err != nil {
			break
		}
		inode[record.Name] = record.Ino
		got = append(got, fmt.Sprintf("%s %o %d %d %d", record.Name, record.Mode, record.UID,
			record.NLink, record.FileSize))
	}
	want := []string{
		"root 40755 0 0 0", "root/b 100644 7 2 4", "root/d 40755 7 1 0", "root/d/a 100644 7 2 0",
		"root/l 120644 7 1 1", "root/z 100644 7 1 4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive differs (-want +got):\n%s", diff)
	}
	if inode["root/b"] != inode["root/d/a"] || inode["root/b"] == inode["root/z"] {
		t.Errorf("inodes are %v", inode)
	}
}

func TestSizeCountsWhatIsThere(t *testing.T) {
	tree := treeOf(t, layer(t, "a=12345", "b=>a", "c=123"), layer(t, "c=1", "d=12", ".wh.d"))
	if got := tree.Size(); got != 5+1+2 {
		t.Errorf("size is %d, want 8", got)
	}
}
