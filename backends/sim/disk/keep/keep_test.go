package keep_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/disk/keep"
)

func open(t *testing.T, dir string) *keep.Folder {
	t.Helper()
	f, err := keep.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func load(t *testing.T, dir string) *disk.Disk {
	t.Helper()
	d, err := open(t, dir).Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// filled is a disk with something of each kind.
func filled() *disk.Disk {
	d := disk.New(1<<30, 1<<20)
	d.Put("/persist/checkpoint/lastconfig", []byte{0, 1, 0xff})
	d.Put("/config/server", []byte("controller"))
	d.Blobs["aa"] = disk.Bytes([]byte("layer"))
	d.Blobs["bb"] = disk.Content{Size: 1 << 40, Digest: "bb", Modelled: true}
	d.Partials["t1"] = &disk.Partial{Content: disk.Bytes([]byte("half")), Whole: 8, Durable: 3,
		Tag: "v1"}
	d.Volumes["v#0"] = &disk.Volume{Format: "container", Used: 5, Blobs: []string{"aa"}}
	d.Boot.Boots, d.Boot.Reason = 3, "BootReasonRebootCmd"
	d.Tpm = disk.TpmRecord{HasDevice: true, CertPEM: "pem"}
	return d
}

func TestDiskComesBackWithoutConfig(t *testing.T) {
	dir := t.TempDir()
	if d := load(t, dir); d != nil {
		t.Fatalf("an empty folder has the disk %+v", d)
	}
	want := filled()
	if err := open(t, dir).Save(keep.Take(want)); err != nil {
		t.Fatal(err)
	}
	got := load(t, dir)
	delete(want.Files, "/config/server")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWhatIsGoneLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	d, f := filled(), open(t, dir)
	if err := f.Save(keep.Take(d)); err != nil {
		t.Fatal(err)
	}
	d.Partials["t1"].Append([]byte("more"), 4)
	delete(d.Blobs, "aa")
	if err := f.Save(keep.Take(d)); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "content"))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files for one content with bytes: %v", len(left), err)
	}
	if got := load(t, dir).Partials["t1"]; string(got.Data) != "halfmore" {
		t.Errorf("the download is %q", got.Data)
	}
}

// TestStateStaysAsItWasTaken changes the disk between Take and Save.
func TestStateStaysAsItWasTaken(t *testing.T) {
	dir, d := t.TempDir(), filled()
	s := keep.Take(d)
	d.Partials["t1"].Reset()
	d.Partials["t1"].Append([]byte("XXXX"), 4)
	d.Volumes["v#0"].Used = 99
	d.Boot.Partitions[0].State = "updating"
	if err := open(t, dir).Save(s); err != nil {
		t.Fatal(err)
	}
	got := load(t, dir)
	if string(got.Partials["t1"].Data) != "half" || got.Volumes["v#0"].Used != 5 ||
		got.Boot.Partitions[0].State != "active" {
		t.Errorf("got %+v %+v %+v", got.Partials["t1"], got.Volumes["v#0"], got.Boot)
	}
}

func TestDamageIsMissingContentOrAnError(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Save(keep.Take(filled())); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "content", "*"))
	for _, path := range files {
		if b, _ := os.ReadFile(path); bytes.Equal(b, []byte("layer")) {
			if err := os.Truncate(path, 2); err != nil {
				t.Fatal(err)
			}
		}
	}
	d := load(t, dir)
	if _, has := d.Blobs["aa"]; has || d.Partials["t1"] == nil {
		t.Errorf("blobs %v, downloads %v", d.Blobs, d.Partials)
	}
	if err := os.WriteFile(filepath.Join(dir, "disk.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir).Load(); err == nil {
		t.Error("a torn index is taken for a disk")
	}
}

func TestUnchangedStateIsNotWrittenAgain(t *testing.T) {
	dir, d := t.TempDir(), filled()
	f := open(t, dir)
	if err := f.Save(keep.Take(d)); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, "disk.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Save(keep.Take(d)); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(dir, "disk.json"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the index was replaced: %v", err)
	}
}
