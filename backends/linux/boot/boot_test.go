package boot_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/boot"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFromCommandLine(t *testing.T) {
	for text, want := range map[string]string{"console=ttyS0 img=A panic=5\n": "IMGA",
		"img=B": "IMGB", "root=PARTLABEL=IMGB ro": "IMGB", "root=/dev/sda2 ximg=A": "", "": ""} {
		file := filepath.Join(t.TempDir(), "cmdline")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := boot.FromCommandLine(file); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

// made is an image as other programs make it.
func made(t *testing.T) string {
	t.Helper()
	program := labtest.Program(t, "sfdisk")
	image := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 32<<20); err != nil {
		t.Fatal(err)
	}
	run(t, exec.CommandContext(t.Context(), program, "-q", image), `label: gpt
start=2048, size=4096, type=uefi, name="EFI System"
start=8192, size=8192, name=IMGA, attrs="GUID:49,GUID:56"
start=16384, size=8192, name=IMGB, attrs="RequiredPartition,GUID:48,GUID:49,GUID:52"
start=24576, size=2048, name=CONFIG
start=28672, size=8192, name=P3
`)
	return image
}

func run(t *testing.T, c *exec.Cmd, in string) string {
	t.Helper()
	c.Stdin = strings.NewReader(in)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", c.Args, err, out)
	}
	return string(out)
}

// dump is the table as another program reads it.
func dump(t *testing.T, image string) string {
	t.Helper()
	return run(t, exec.CommandContext(t.Context(), labtest.Program(t, "sfdisk"), "-d", image), "")
}

// TestLoadAndOthers has a disk that another program made tried, and compares what that program
// reads before and after: nothing but the try may have changed, and no content.
func TestLoadAndOthers(t *testing.T) {
	image := made(t)
	mark := []byte("content of IMGB")
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err == nil {
		_, err = f.WriteAt(mark, 16384*512)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	before := dump(t, image)
	for _, want := range []string{"IMGB", "IMGA", "IMGA"} {
		if got, err := boot.Load(image); err != nil || got != want {
			t.Fatalf("booted from %q, %v, want %s", got, err, want)
		}
		after := dump(t, image)
		if want := strings.Replace(before, "GUID:48,49,52", "GUID:48,49", 1); after != want ||
			after == before {
			t.Errorf("the table was\n%s, is\n%s", before, after)
		}
	}
	b, err := os.ReadFile(image)
	if err != nil || !bytes.Equal(b[16384*512:][:len(mark)], mark) {
		t.Errorf("the content of a partition changed, %v", err)
	}
}

func TestLoadWhatIsNoDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, file + "-not-there"} {
		if label, err := boot.Load(path); err == nil {
			t.Errorf("%s boots from %q", path, label)
		}
	}
}
