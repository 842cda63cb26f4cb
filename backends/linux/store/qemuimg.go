package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/sim/lab"
	device "github.com/evetwin/evetwin/core/device/store"
)

// What qemu-img may take to look at an image, which somebody may have made to keep it busy.
const (
	infoLimit  = 30 * time.Second
	infoMemory = 1 << 30
	infoCPU    = 30 // seconds
)

// driver is what QEMU calls a format.
func driver(format string) string {
	switch format {
	case "vhd":
		return "vpc"
	case "iso":
		return "raw"
	}
	return format
}

// exact are options by which an image has the size that was asked for: a VHD is rounded otherwise.
func exact(format string) []string {
	if format == "vhd" {
		return []string{"-o", "force_size=on"}
	}
	return nil
}

// virtualSize is the size of an image that was looked at.
type virtualSize struct {
	of   birth
	size int64
}

// birth tells a file from one that had its inode before.
type birth struct {
	ino  uint64
	born unix.StatxTimestamp
}

// virtual is the virtual size of a volume. One of an image that was looked at is known: guests do
// not change it. The caller holds mu of the session.
func (s *Store) virtual(path, format string, i fs.FileInfo) (int64, error) {
	if driver(format) == "raw" {
		return i.Size(), nil
	}
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO|unix.STATX_BTIME,
		&st)
	if err != nil {
		return 0, err
	}
	of := birth{st.Ino, st.Btime}
	if known, ok := s.images[path]; ok && known.of == of && st.Mask&unix.STATX_BTIME != 0 {
		return known.size, nil
	}
	image, err := s.inspect(context.Background(), path, format)
	if err != nil {
		return 0, err
	}
	s.images[path] = virtualSize{of, image.Size}
	return image.Size, nil
}

// image is what qemu-img says of one.
type image struct {
	Format   string `json:"format"`
	Size     int64  `json:"virtual-size"`
	Backing  string `json:"backing-filename"`
	Specific struct {
		Data struct {
			DataFile string `json:"data-file"`
			Extents  []struct {
				Filename string `json:"filename"`
			} `json:"extents"`
		} `json:"data"`
	} `json:"format-specific"`
}

// inspect looks at an image, under limits. It need not be what it is said to be: what is wrong with
// it is errFormat.
func (s *Store) inspect(ctx context.Context, path, format string) (out image, err error) {
	ctx, stop := context.WithTimeout(ctx, infoLimit)
	defer stop()
	limits := []string{"prlimit", "--as=" + strconv.Itoa(infoMemory), "--cpu=" + strconv.Itoa(infoCPU)}
	text, err := s.qemuImg(ctx, limits, "info", "--output=json", "--force-share", "-f",
		driver(format), path)
	switch {
	case errors.Is(err, errImage):
		return out, fmt.Errorf("%w %s: %w", errFormat, format, err)
	case err != nil:
		return out, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, fmt.Errorf("look at %s: %w", path, err)
	}
	switch {
	case out.Backing != "" || out.Specific.Data.DataFile != "":
		return out, fmt.Errorf("%w %s: it refers to another file", errFormat, format)
	case out.Size < 0 || out.Size > device.MaxVolume:
		return out, fmt.Errorf("%w %s: it has %d bytes", errFormat, format, out.Size)
	}
	for _, e := range out.Specific.Data.Extents {
		if e.Filename != path {
			return out, fmt.Errorf("%w %s: it refers to another file", errFormat, format)
		}
	}
	return out, nil
}

// errImage says that qemu-img ended with an error, which is about the image or the disk.
var errImage = errors.New("qemu-img")

// qemuImg runs qemu-img, behind other words if there are some, and returns what it says.
func (s *Store) qemuImg(ctx context.Context, before []string, args ...string) ([]byte, error) {
	var out bytes.Buffer
	program, err := lab.Find(s.o.QemuImg)
	if err != nil {
		return nil, err
	}
	line := append(append(before, program), args...)
	p, err := child.Start(child.Options{Name: "qemu-img " + args[0], Path: line[0], Args: line[1:],
		Env: append(os.Environ(), "LC_ALL=C"), Stdout: &out})
	if err != nil {
		return nil, err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), p.Kill())
	}
	if err := p.Err(); err != nil {
		if strings.Contains(p.LastWords(), "No space left") {
			return nil, fmt.Errorf("%w: %w", syscall.ENOSPC, err)
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) && (exit.Exited() || overdone(exit)) {
			return nil, fmt.Errorf("%w: %w", errImage, err)
		}
		return nil, err
	}
	return out.Bytes(), nil
}

// overdone reports whether a program was ended because it took too much.
func overdone(exit *exec.ExitError) bool {
	s, ok := exit.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && (s.Signal() == syscall.SIGXCPU || s.Signal() == syscall.SIGABRT)
}
