package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/zfs/zfstest"
	device "github.com/evetwin/evetwin/core/device/store"
)

// crashTest is something done to the disk while the power goes, step by step. before makes what has
// to be there; do is cut; ok says whether what is there then may be, done or not.
type crashTest struct {
	name   string
	zfs    bool
	before func(r *rig) error
	do     func(r *rig) error
	ok     func(seen found, done bool) error
}

// layered are the blobs of the image that the test of containers is about.
var layered []string

var crashes = []crashTest{
	{name: "write",
		before: func(r *rig) error { return r.write(lastFile, []byte("old"), false) },
		do:     func(r *rig) error { return r.write(lastFile, []byte("new"), true) },
		ok: func(x found, done bool) error {
			now, bak := x.files[lastFile], x.files[lastFile+".bak"]
			if now != "old" && now != "new" || bak != "" && bak != "old" || now == "new" && bak != "old" ||
				done && now != "new" {
				return fmt.Errorf("the file holds %q, its backup %q", now, bak)
			}
			return nil
		}},
	{name: "first write with backup",
		do: func(r *rig) error { return r.write(newFile, []byte("new"), true) },
		ok: func(x found, done bool) error {
			now, bak := x.files[newFile], x.files[newFile+".bak"]
			if now != "" && now != "new" || bak != "" && bak != "new" || now == "new" && bak != "new" ||
				done && now != "new" {
				return fmt.Errorf("the file holds %q, its backup %q", now, bak)
			}
			return nil
		}},
	{name: "remove",
		before: func(r *rig) error {
			return r.write(lastFile, []byte("x"), true)
		},
		do: func(r *rig) error {
			_, f := r.remove(context.Background(), &device.RemoveReq{Path: lastFile})
			return failure(f)
		},
		ok: func(x found, done bool) error {
			if now := x.files[lastFile]; now != "" && now != "x" || done && len(x.files) > 0 {
				return fmt.Errorf("files are %v", x.files)
			}
			return nil
		}},
	{name: "verify",
		before: func(r *rig) error { return r.downloads("d", []byte("blob")) },
		do: func(r *rig) error {
			_, f := r.verify(context.Background(), &device.VerifyReq{Target: "d",
				Sha256: sum([]byte("blob"))})
			return failure(f)
		},
		ok: func(x found, done bool) error {
			if (len(x.blobs) == 1) == (len(x.downloads) == 1) || done && len(x.blobs) == 0 {
				return fmt.Errorf("blobs are %v, downloads %v", x.blobs, x.downloads)
			}
			return nil
		}},
	{name: "disk",
		before: func(r *rig) error { _, err := r.loads([]byte("blob")); return err },
		do: func(r *rig) error {
			return r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw",
				Blobs: []string{sum([]byte("blob"))}})
		},
		ok: wholeVolume},
	{name: "zvol", zfs: true,
		before: func(r *rig) error { _, err := r.loads([]byte("blob")); return err },
		do: func(r *rig) error {
			return r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw",
				Blobs: []string{sum([]byte("blob"))}})
		},
		ok: wholeVolume},
	{name: "remove zvol", zfs: true,
		before: func(r *rig) error {
			return r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "qcow2", Size: 4})
		},
		do: removesVolume,
		ok: noVolume},
	{name: "container",
		before: func(r *rig) error {
			layer, err := pack(entry{text: "blob", Header: tarHeader("f")})
			if err != nil {
				return err
			}
			layered, err = r.image(layer)
			return err
		},
		do: func(r *rig) error {
			return r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: device.Container,
				Blobs: layered})
		},
		ok: wholeVolume},
	{name: "remove volume",
		before: func(r *rig) error {
			return r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Size: 4})
		},
		do: removesVolume,
		ok: noVolume},
}

// wholeVolume wants a volume with its content, or none.
func wholeVolume(x found, done bool) error {
	if v, ok := x.volumes["v#0"]; ok && v != "blob" || done && !ok {
		return fmt.Errorf("volumes are %v", x.volumes)
	}
	return nil
}

// Files of the tests: one that is there at first, and one in a folder that is not.
const (
	lastFile = device.SavedConfig
	newFile  = "/persist/checkpoint/a/b"
)

// found is what a boot finds: contents by name.
type found struct{ files, blobs, downloads, volumes map[string]string }

// find looks at what the tables say, and at what is behind them.
func find(t *testing.T, r *rig) (x found) {
	t.Helper()
	read := func(path string) string {
		data, err := os.ReadFile(path)
		must(t, err)
		return string(data)
	}
	x = found{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}}
	files, _ := rows(t, r, r.files)
	for _, f := range files {
		x.files[f.Path] = read(r.host(f.Path))
	}
	blobs, _ := rows(t, r, r.blobs)
	for sha := range blobs {
		if x.blobs[sha] = read(r.blobPath(sha)); sum([]byte(x.blobs[sha])) != sha {
			t.Errorf("blob %s holds %q", sha, x.blobs[sha])
		}
	}
	volumes, _ := rows(t, r, r.volumes)
	for key, v := range volumes {
		path := r.host(v.Path)
		if v.Format == device.Container {
			path = filepath.Join(path, rootName, "f")
		}
		x.volumes[key] = strings.TrimRight(read(path), "\x00")
	}
	list, err := r.o.Downloads.List()
	must(t, err)
	for _, d := range list {
		x.downloads[d.Target] = read(r.o.Downloads.Locate(d.Target))
	}
	return x
}

// TestAPP28_PowerCutAtEachStep cuts the power before each step of each way to the disk, and breaks
// the disk there: the next boot finds the old or the new, whole, and nothing unfinished; done means
// that it stays.
func TestAPP28_PowerCutAtEachStep(t *testing.T) {
	for _, c := range crashes {
		for _, cause := range []error{durable.ErrPowerCut, errors.New("the disk failed")} {
			t.Run(c.name+", "+cause.Error(), func(t *testing.T) {
				for cut := 1; ; cut++ {
					if crash(t, c, cut, cause) {
						if cut < 3 {
							t.Errorf("it is done after %d steps", cut-1)
						}
						return
					}
				}
			})
		}
	}
}

// crash cuts the power before a step, and reports whether that was not reached.
func crash(t *testing.T, c crashTest, cut int, cause error) (done bool) {
	t.Helper()
	dir, n := t.TempDir(), -1<<30
	disk := durable.Disk{Before: func(durable.Step, string) error {
		if n++; n == cut || n > cut && errors.Is(cause, durable.ErrPowerCut) {
			return cause
		}
		return nil
	}}
	zfs := "no-zfs"
	if c.zfs {
		pool, err := zfstest.New(filepath.Join(dir, "pools"), dir, "")
		must(t, err)
		zfs = pool.Program
	}
	r, end, err := start(Options{Root: dir, Disk: disk, ZFS: zfs})
	must(t, err)
	if c.before != nil {
		must(t, c.before(r))
	}
	n = 0
	err = c.do(r)
	done = n < cut
	if done != (err == nil) {
		t.Errorf("step %d: it is over with %v", cut, err)
	}
	if left := leftovers(t, dir); len(left) > 0 && !errors.Is(cause, durable.ErrPowerCut) {
		t.Errorf("step %d: a call that fails leaves %v", cut, left)
	}
	must(t, end())
	r, end, err = start(Options{Root: dir, ZFS: zfs})
	must(t, err)
	if err := c.ok(find(t, r), done); err != nil {
		t.Errorf("step %d: %v", cut, err)
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("step %d: left behind: %v", cut, left)
	}
	must(t, end())
	return done
}

// writerVariable makes the test binary a process that writes until it is killed.
const writerVariable = "EVETWIN_STORE_WRITER"

// writeForEver does all that can be done, again and again, and says so.
func writeForEver(dir string) {
	r, _, err := start(Options{Root: dir})
	for n := 0; err == nil; n++ {
		text := bytes.Repeat([]byte{byte('a' + n%26)}, 100_000)
		err = r.write(lastFile, text, true)
		if err == nil {
			_, err = r.loads(text)
		}
		q := device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Blobs: []string{sum(text)}}
		if err == nil {
			err = r.creates(q)
		}
		if err == nil {
			_, f := r.removeVolume(context.Background(), &device.VolumeReq{VolumeKey: q.VolumeKey})
			err = failure(f)
		}
		fmt.Println(n)
	}
	fmt.Println(err)
	os.Exit(1)
}

// TestAPP28_KilledAtAnyTime kills a process that writes, at some time: what comes next finds all
// whole.
func TestAPP28_KilledAtAnyTime(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
		cmd.Env = append(os.Environ(), writerVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; n <= round && lines.Scan(); n++ {
			if want := fmt.Sprint(n); lines.Text() != want {
				t.Fatalf("the writer says %q", lines.Text())
			}
		}
		must(t, cmd.Process.Kill())
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		r, end, err := start(Options{Root: dir})
		must(t, err)
		x := find(t, r)
		for name, text := range x.files {
			if len(text) != 100_000 || text != string(bytes.Repeat([]byte(text[:1]), len(text))) {
				t.Errorf("round %d: %s holds %d bytes %.20q", round, name, len(text), text)
			}
		}
		for key, text := range x.volumes {
			if len(text) != 100_000 {
				t.Errorf("round %d: volume %s holds %d bytes", round, key, len(text))
			}
		}
		if left := leftovers(t, dir); len(left) > 0 || len(x.files) != 2 {
			t.Errorf("round %d: %d files, left behind %v", round, len(x.files), left)
		}
		must(t, end())
	}
}

// removesVolume removes the volume.
func removesVolume(r *rig) error {
	_, f := r.removeVolume(context.Background(), &device.VolumeReq{VolumeKey: "v#0"})
	return failure(f)
}

// noVolume is what a removal must leave when it is done.
func noVolume(x found, done bool) error {
	if done && len(x.volumes) > 0 {
		return fmt.Errorf("volumes are %v", x.volumes)
	}
	return nil
}
