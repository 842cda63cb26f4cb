package partial_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
)

const target = "ab12.cd34"

func open(t *testing.T, path string, disk durable.Disk) *partial.Dir {
	t.Helper()
	d, err := partial.Open(path, disk)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func resume(t *testing.T, d *partial.Dir) *partial.Writer {
	t.Helper()
	w, err := d.Resume(target)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// must wants no errors.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func write(w *partial.Writer, data string) error {
	_, err := w.Write([]byte(data))
	return err
}

// TestAPP18_ResumesFromWhatIsRecorded stops a download without any manners: what was recorded is
// there again, bytes behind it are not, and a record that makes no sense is the same as none.
func TestAPP18_ResumesFromWhatIsRecorded(t *testing.T) {
	path := t.TempDir()
	w := resume(t, open(t, path, durable.Disk{}))
	must(t, w.Begin("v1", 12), write(w, "durable"), w.Sync(), write(w, "lost"))

	d := open(t, path, durable.Disk{})
	s, ok := d.Get(target)
	want := partial.State{Target: target, Have: 7, Durable: 7, Size: 12, Tag: "v1"}
	if !ok || s != want {
		t.Fatalf("after a power cut the download is %+v, want %+v", s, want)
	}
	w = resume(t, d)
	if w.State() != want {
		t.Fatalf("it goes on from %+v, want %+v", w.State(), want)
	}
	must(t, write(w, " more"), w.Finish(), w.Close())
	if s, _ := d.Get(target); !s.Done || s.Have != 12 {
		t.Errorf("a download that is finished is %+v", s)
	}
	if data, err := os.ReadFile(d.Locate(target)); err != nil || string(data) != "durable more" {
		t.Errorf("it holds %q: %v", data, err)
	}
	for _, bad := range []string{"", "{", `{"durable":13}`, `{"durable":-1}`,
		`{"durable":3,"done":true}`} {
		must(t, os.WriteFile(d.Locate(target)+".progress", []byte(bad), 0o600))
		d = open(t, path, durable.Disk{})
		if s, ok := d.Get(target); ok {
			t.Errorf("with the record %q the download is %+v", bad, s)
		}
		w = resume(t, d)
		if s := w.State(); s.Have != 0 {
			t.Errorf("with the record %q it goes on from %+v", bad, s)
		}
		must(t, write(w, "durable more"), w.Finish(), w.Close())
	}
}

// TestPowerCutAtEachStep cuts the power before each step of two downloads, one of which begins anew
// half-way, and of the move out of the folder: what is there is the beginning of the content that
// its tag names, and whole only if all of it is there.
func TestPowerCutAtEachStep(t *testing.T) {
	contents := map[string]string{"v1": strings.Repeat("one", 9), "v2": strings.Repeat("two!", 9)}
	for cut := 1; ; cut++ {
		path, out := t.TempDir(), filepath.Join(t.TempDir(), "blob")
		n := 0
		disk := durable.Disk{Before: func(durable.Step, string) error {
			if n++; n >= cut {
				return durable.ErrPowerCut
			}
			return nil
		}}
		err := download(path, out, contents, disk)
		if err != nil && !errors.Is(err, durable.ErrPowerCut) {
			t.Fatal(err)
		}
		d := open(t, path, durable.Disk{})
		blob, _ := os.ReadFile(out)
		s, ok := d.Get(target)
		data, _ := os.ReadFile(d.Locate(target))
		whole := contents["v2"]
		switch {
		case len(blob) > 0 && (string(blob) != whole || ok):
			t.Errorf("cut %d: the blob is %q, and the download %+v", cut, blob, s)
		case ok && (!strings.HasPrefix(contents[s.Tag], string(data)) || int64(len(data)) != s.Have):
			t.Errorf("cut %d: the download is %+v with %q", cut, s, data)
		case ok && s.Done && string(data) != whole:
			t.Errorf("cut %d: it is whole with %q", cut, data)
		}
		if list, _ := filepath.Glob(filepath.Join(path, durable.Prefix+"*")); len(list) > 0 {
			t.Errorf("cut %d: left behind: %v", cut, list)
		}
		if err == nil {
			if string(blob) != whole {
				t.Errorf("at the end the blob is %q", blob)
			}
			break
		}
	}
}

// download brings one content in part, then another whole, and moves it out.
func download(path, out string, contents map[string]string, disk durable.Disk) error {
	d, err := partial.Open(path, disk)
	if err != nil {
		return err
	}
	w, err := d.Resume(target)
	if err != nil {
		return err
	}
	for _, f := range []func() error{
		func() error { return w.Begin("v1", int64(len(contents["v1"]))) },
		func() error { return write(w, contents["v1"][:10]) }, w.Sync,
		func() error { return write(w, contents["v1"][10:15]) },
		func() error { return w.Begin("v2", int64(len(contents["v2"]))) },
		func() error { return write(w, contents["v2"][:20]) }, w.Sync,
		func() error { return write(w, contents["v2"][20:]) }, w.Finish, w.Close,
		func() error { return d.Take(target, out) },
	} {
		if err := f(); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return nil
}

func TestTakeWantsAWholeDownload(t *testing.T) {
	d := open(t, t.TempDir(), durable.Disk{})
	out := filepath.Join(t.TempDir(), "blob")
	if err := d.Take(target, out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing is taken: %v", err)
	}
	w := resume(t, d)
	if _, err := d.Resume(target); !errors.Is(err, partial.ErrBusy) {
		t.Errorf("two write one download: %v", err)
	}
	must(t, write(w, "part"), w.Close())
	if err := d.Take(target, out); !errors.Is(err, partial.ErrPart) {
		t.Errorf("a part is taken: %v", err)
	}
	var told []string
	d.OnTaken(func(target string) { told = append(told, target) })
	w = resume(t, d)
	must(t, write(w, "ial"), w.Finish(), w.Close(), d.Take(target, out))
	if data, err := os.ReadFile(out); err != nil || string(data) != "partial" {
		t.Errorf("taken is %q: %v", data, err)
	}
	left, err := os.ReadDir(d.Path())
	if err != nil || len(left) > 0 || fmt.Sprint(told) != "["+target+"]" {
		t.Errorf("left are %v, %v; told %v", left, err, told)
	}
}

func TestNothingBeforeItIsRecovered(t *testing.T) {
	d := partial.New(filepath.Join(t.TempDir(), "pending"), durable.Disk{})
	ready := 0
	d.OnReady(func() { ready++ })
	if _, err := d.Resume(target); !errors.Is(err, partial.ErrShut) || ready != 0 {
		t.Errorf("before it is recovered a download begins: %v, %d", err, ready)
	}
	must(t, d.Recover())
	must(t, resume(t, d).Close())
	d.Shut()
	if _, err := d.Resume(target); !errors.Is(err, partial.ErrShut) || ready != 1 {
		t.Errorf("after it is shut a download begins: %v, %d", err, ready)
	}
	must(t, d.Recover())
	d.OnReady(func() { ready += 10 })
	if ready != 12 {
		t.Errorf("told %d", ready)
	}
}

func TestNamesOfDownloads(t *testing.T) {
	d := open(t, t.TempDir(), durable.Disk{})
	for _, name := range []string{"", ".", "..", "a/b", "../x", ".new-1", "x.progress", "a\x00",
		strings.Repeat("a", 250)} {
		_, err := d.Resume(name)
		if !errors.Is(err, partial.ErrName) || !errors.Is(d.Remove(name), partial.ErrName) {
			t.Errorf("%q is the name of a download: %v", name, err)
		}
	}
}

// TestSyncsOnTheWay loses 8 MiB at most of a long download.
func TestSyncsOnTheWay(t *testing.T) {
	d := open(t, t.TempDir(), durable.Disk{})
	w := resume(t, d)
	piece := bytes.Repeat([]byte("x"), 1<<20)
	for range 20 {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
		if s := w.State(); s.Have-s.Durable >= 8<<20 {
			t.Fatalf("a power cut would cost %d bytes", s.Have-s.Durable)
		}
	}
	list, err := d.List()
	if err != nil || len(list) != 1 || list[0].Have != 20<<20 {
		t.Errorf("downloads are %+v: %v", list, err)
	}
	must(t, w.Close(), d.Remove(target), d.Remove(target))
	if left, err := os.ReadDir(d.Path()); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
