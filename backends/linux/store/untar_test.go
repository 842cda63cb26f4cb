package store

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// tarHeader is the header of a file.
func tarHeader(name string) tar.Header { return tar.Header{Name: name, Mode: 0o644} }

// unpackTo unpacks entries into a folder.
func unpackTo(t *testing.T, dir string, entries ...entry) error {
	t.Helper()
	archive, err := pack(entries...)
	must(t, err)
	return unpackTar(t.Context(), bytes.NewReader(archive), dir)
}

// TestNoNameLeadsOutOfTheTree unpacks archives that somebody made to write elsewhere.
func TestNoNameLeadsOutOfTheTree(t *testing.T) {
	base := t.TempDir()
	outside := filepath.Join(base, "outside")
	must(t, os.Mkdir(outside, 0o755))
	must(t, os.WriteFile(filepath.Join(outside, "old"), []byte("old"), 0o600))
	link := func(name, to string) entry {
		return entry{Header: tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeSymlink}}
	}
	hard := func(name, to string) entry {
		return entry{Header: tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeLink}}
	}
	file := func(name string) entry { return entry{tarHeader(name), "evil"} }
	for name, entries := range map[string][]entry{
		"dots":          {file("../outside/evil"), file("../../../../../../outside/evil")},
		"absolute":      {file(outside + "/evil")},
		"link up":       {link("up", "../outside"), file("up/evil")},
		"absolute link": {link("a", outside), file("a/evil"), file("a/old")},
		"link to link":  {link("a", "b"), link("b", ".."), file("a/outside/evil")},
		"hard link":     {hard("h", outside+"/old"), hard("g", "../outside/old")},
		"link as file":  {link("l", outside+"/evil"), file("l")},
		"magic link":    {link("p", "/proc/self/root"), file("p" + outside + "/evil")},
	} {
		dir := filepath.Join(base, name)
		must(t, os.Mkdir(dir, 0o755))
		_ = unpackTo(t, dir, entries...) // that some of them cannot be made is well
		list, err := os.ReadDir(outside)
		old, _ := os.ReadFile(filepath.Join(outside, "old"))
		if err != nil || len(list) != 1 || string(old) != "old" {
			t.Fatalf("%s: outside are %v, old holds %q: %v", name, list, old, err)
		}
		var s unix.Stat_t
		must(t, unix.Stat(filepath.Join(outside, "old"), &s))
		if s.Nlink != 1 {
			t.Fatalf("%s: a file outside has another name inside", name)
		}
	}
}

// TestEntriesAreWhatTheyWere unpacks one of each kind.
func TestEntriesAreWhatTheyWere(t *testing.T) {
	dir := t.TempDir()
	own := tar.Header{Name: "bin/su", Mode: 0o4755, Uid: 7, Gid: 8,
		PAXRecords: map[string]string{xattrPrefix + "user.mark": "value"}}
	err := unpackTo(t, dir, entry{own, "program"},
		entry{Header: tar.Header{Name: "z", Linkname: "bin/su", Typeflag: tar.TypeLink}},
		entry{Header: tar.Header{Name: "./lib", Linkname: "/usr/lib", Typeflag: tar.TypeSymlink}},
		entry{Header: tar.Header{Name: "usr/lib/", Mode: 0o755, Typeflag: tar.TypeDir}},
		entry{tarHeader("lib/so"), "by the link"},
		entry{Header: tar.Header{Name: "dev/null", Mode: 0o666, Typeflag: tar.TypeChar, Devmajor: 1,
			Devminor: 3}},
		entry{Header: tar.Header{Name: "pipe", Mode: 0o600, Typeflag: tar.TypeFifo}},
		entry{Header: tar.Header{Name: "bin", Mode: 0o711, Typeflag: tar.TypeDir}},
		entry{Header: tar.Header{Name: ".", Mode: 0o750, Typeflag: tar.TypeDir}},
		entry{tarHeader("bin/su"), "of a lower layer"})
	must(t, err)
	stat := func(name string) (s unix.Stat_t) {
		must(t, unix.Lstat(filepath.Join(dir, name), &s))
		return s
	}
	su, mark := stat("bin/su"), make([]byte, 10)
	n, err := unix.Getxattr(filepath.Join(dir, "bin/su"), "user.mark", mark)
	if su.Mode != unix.S_IFREG|0o4755 || su.Uid != 7 || su.Gid != 8 || su.Nlink != 2 ||
		su.Mtim.Sec != 1e9 || err != nil || string(mark[:n]) != "value" {
		t.Errorf("a program is %+v, its mark %q: %v", su, mark[:max(n, 0)], err)
	}
	null := stat("dev/null")
	if null.Mode != unix.S_IFCHR|0o666 || null.Rdev != unix.Mkdev(1, 3) ||
		stat("pipe").Mode != unix.S_IFIFO|0o600 || stat("bin").Mode != unix.S_IFDIR|0o711 ||
		stat(".").Mode != unix.S_IFDIR|0o750 {
		t.Errorf("modes are %o, %o, %o, %o", null.Mode, stat("pipe").Mode, stat("bin").Mode,
			stat(".").Mode)
	}
	text, err := os.ReadFile(filepath.Join(dir, "usr/lib/so"))
	if to, _ := os.Readlink(filepath.Join(dir, "lib")); err != nil || string(text) != "by the link" ||
		to != "/usr/lib" {
		t.Errorf("behind the link to %s is %q: %v", to, text, err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "z")); string(text) != "program" {
		t.Errorf("the program is %q", text)
	}
}

func TestWhatNobodyUnpacks(t *testing.T) {
	for name, e := range map[string]entry{
		"unknown type": {Header: tar.Header{Name: "x", Typeflag: 'X'}},
		"through file": {tarHeader("f/g"), "x"},
	} {
		if unpackTo(t, t.TempDir(), entry{tarHeader("f"), "a file"}, e) == nil {
			t.Errorf("%s: it is unpacked", name)
		}
	}
}
