package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	device "github.com/evetwin/evetwin/core/device/store"
)

func unmount(dir string) error { return unix.Unmount(dir, 0) }

// TestAPP27_BlankIsExactAndImagesAreNotShrunk makes disks of each format: blank, of an image with
// the size it has, smaller, and larger.
func TestAPP27_BlankIsExactAndImagesAreNotShrunk(t *testing.T) {
	labtest.Program(t, "qemu-img")
	r := up(t, Options{Root: t.TempDir()})
	for _, format := range device.Formats() {
		if format == device.Container || format == "iso" {
			continue
		}
		const mib = 1 << 20
		want := map[string]int64{}
		make := func(name string, size int64, blobs ...string) string {
			key := name + "-" + format + "#0"
			must(t, r.creates(device.CreateVolumeReq{VolumeKey: key, Format: format, Size: size,
				Blobs: blobs}))
			want[key] = size
			volumes, _ := rows(t, r, r.volumes)
			return r.host(volumes[key].Path)
		}
		data, err := os.ReadFile(make("blank", 8*mib))
		must(t, err)
		sha, err := r.loads(data)
		must(t, err)
		make("smaller", mib, sha)
		want["smaller-"+format+"#0"] = 8 * mib
		make("larger", 20*mib, sha)
		volumes, _ := rows(t, r, r.volumes)
		for key, size := range want {
			if v := volumes[key]; v.Size != size || v.Format != format {
				t.Errorf("volume %s is %+v, want %d bytes", key, v, size)
			}
		}
	}
}

// TestProgramThatIsKilledIsAFaultThatPasses kills qemu-img: the call fails and may be repeated, and
// nothing is left of it. It is no matter of the image.
func TestProgramThatIsKilledIsAFaultThatPasses(t *testing.T) {
	real := labtest.Program(t, "qemu-img")
	dir := t.TempDir()
	mark, program := filepath.Join(dir, "mark"), filepath.Join(dir, "qemu-img")
	script := fmt.Sprintf("#!/bin/sh\nif [ -e %s ]; then exec %s \"$@\"; fi\ntouch %s\nkill -9 $$\n",
		mark, real, mark)
	must(t, os.WriteFile(program, []byte(script), 0o755))
	root := filepath.Join(dir, "root")
	r := up(t, Options{Root: root, QemuImg: program})
	q := device.CreateVolumeReq{VolumeKey: "v#0", Format: "qcow2", Size: 1 << 20}
	for range 2 {
		must(t, errors.Join(os.RemoveAll(mark)))
		_, f := r.createVolume(t.Context(), &q)
		if f == nil || f.Code != device.FaultIO || !f.Retry || len(leftovers(t, root)) > 0 {
			t.Fatalf("killed, it is %+v; left are %v", f, leftovers(t, root))
		}
	}
	must(t, r.creates(q))
	data, err := os.ReadFile(r.host(clearDir + "/v#0.qcow2"))
	must(t, err)
	sha, err := r.loads(data)
	must(t, err, os.Remove(mark))
	q.VolumeKey, q.Blobs = "w#0", []string{sha}
	if _, f := r.createVolume(t.Context(), &q); f == nil || f.Code != device.FaultIO {
		t.Errorf("killed while it looks at an image, it is %+v", f)
	}
	must(t, r.creates(q))
}

// TestDiskWithoutInodes fills a disk with small files: what does not fit is refused, and all that
// was there stays; what is removed makes room.
func TestDiskWithoutInodes(t *testing.T) {
	disk := looptest.New(t, looptest.Options{MiB: 16, Inodes: 64})
	r := up(t, Options{Root: disk.Dir})
	name := func(n int) string { return fmt.Sprintf("/persist/status/%03d", n) }
	n, err := 0, error(nil)
	for ; err == nil && n < 100; n++ {
		err = r.write(name(n), []byte("x"), false)
	}
	if f := fault("write", err); !errors.Is(err, unix.ENOSPC) || f.Code != device.FaultNoSpace ||
		!f.Retry {
		t.Fatalf("after %d files: %v", n, err)
	}
	files, _ := rows(t, r, r.files)
	if len(files) != n-1 || len(leftovers(t, r.host("/persist"))) > 0 {
		t.Errorf("%d files are seen of %d", len(files), n-1)
	}
	_, f := r.remove(t.Context(), &device.RemoveReq{Path: name(0)})
	must(t, failure(f), r.write(name(n), []byte("x"), false))
}

// TestSpaceIsThatOfTheDisk looks at the space of a disk, of which a part is the system's.
func TestSpaceIsThatOfTheDisk(t *testing.T) {
	disk := looptest.New(t, looptest.Options{MiB: 64})
	r := up(t, Options{Root: disk.Dir, LogQuota: 3 << 20})
	space, all := rows(t, r, r.space)
	s := space["persist"]
	free, err := disk.Free()
	must(t, err)
	if !all || s.Total <= 48<<20 || s.Total > 64<<20 || s.Reserved < s.Total/5+3<<20 ||
		s.Reserved > s.Total/5+5<<20 || s.Total < free {
		t.Errorf("the space is %+v of a disk of 64 MiB with %d free", s, free)
	}
	must(t, os.WriteFile(filepath.Join(disk.Dir, "big"), make([]byte, 30<<20), 0o600))
	sha, err := r.loads([]byte(strings.Repeat("blob", 1<<20)))
	must(t, err)
	r.mu.Lock()
	s, err = r.lookAtSpace(nil)
	r.mu.Unlock()
	if err != nil || s.Reserved < 33<<20 || s.Reserved > 37<<20 {
		t.Errorf("with 30 MiB of the system's and blob %s the space is %+v: %v", sha, s, err)
	}
}

// TestUseIsWhatDuSays holds the use of a folder with holes, links, and another file system mounted
// in it against the program du.
func TestUseIsWhatDuSays(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	file := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Mkdir(other, 0o700), os.WriteFile(file("a"), make([]byte, 70_000), 0o600),
		os.Link(file("a"), file("b")), resize(file("c"), 1<<30), os.Symlink("a", file("d")),
		unix.Mount("none", other, "tmpfs", 0, ""))
	defer func() { must(t, unmount(other)) }()
	must(t, os.WriteFile(filepath.Join(other, "e"), make([]byte, 500_000), 0o600))
	out, err := exec.Command("du", "-x", "-s", "-B", "1", dir).Output()
	must(t, err)
	if want, _, _ := strings.Cut(string(out), "\t"); want != fmt.Sprint(used(dir)) ||
		used(dir) < 70_000 || used(dir) > 200_000 {
		t.Errorf("the use is %d, du says %s", used(dir), want)
	}
}

// TestHolesStayHoles copies a blob that is mostly zeros.
func TestHolesStayHoles(t *testing.T) {
	r := up(t, Options{Root: t.TempDir()})
	data := make([]byte, 8<<20+5)
	copy(data[4<<20:], "in the middle")
	data[len(data)-1] = 'x'
	sha, err := r.loads(data)
	must(t, err, r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw",
		Blobs: []string{sha}}))
	volumes, _ := rows(t, r, r.volumes)
	got, err := os.ReadFile(r.host(volumes["v#0"].Path))
	if err != nil || string(got) != string(data) || volumes["v#0"].Used > 1<<20 {
		t.Errorf("the copy is %+v, equal %v: %v", volumes["v#0"], string(got) == string(data), err)
	}
}
