package disk_test

import (
	"testing"

	"github.com/evetwin/evetwin/backends/sim/disk"
)

func TestRotAndItsHealing(t *testing.T) {
	d := disk.New(100, 0)
	good := []byte("some bytes")
	d.Blobs["a"] = disk.Bytes(good)
	heal := d.Rot("a")
	if b := d.Blobs["a"]; !b.Rotten || string(b.Data) == string(good) || len(b.Data) != len(good) {
		t.Errorf("rotten it is %q", b.Data)
	}
	if string(good) != "some bytes" {
		t.Error("the rot spread to whoever else has the bytes")
	}
	heal()
	if b := d.Blobs["a"]; b.Rotten || string(b.Data) != string(good) {
		t.Errorf("healed it is %q", b.Data)
	}
	heal = d.Rot("a")
	d.Blobs["a"] = disk.Bytes([]byte("new")) // it was loaded anew meanwhile
	heal()
	if b := d.Blobs["a"]; string(b.Data) != "new" {
		t.Errorf("healing brought %q back", b.Data)
	}
	d.Rot("b")()
	if _, there := d.Blobs["b"]; there {
		t.Error("a blob came of rot")
	}
}

func TestSpaceOthersTake(t *testing.T) {
	d := disk.New(100, 0)
	d.Other = 90
	if d.Free() != 10 {
		t.Errorf("%d bytes are free, want 10", d.Free())
	}
	d.Other = 200
	if d.Free() != 0 {
		t.Errorf("%d bytes are free, want none", d.Free())
	}
}
