package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	device "github.com/evetwin/evetwin/core/device/store"
)

// makeDisk makes a disk of a blob, or a blank one, durably.
func (x *session) makeDisk(ctx context.Context, q *device.CreateVolumeReq, to string) error {
	var err error
	switch {
	case len(q.Blobs) > 0:
		err = x.copyDisk(ctx, q, to)
	case driver(q.Format) == "raw":
		err = resize(to, q.Size)
	default:
		_, err = x.qemuImg(ctx, nil, append(append([]string{"create", "-q", "-f", driver(q.Format)},
			exact(q.Format)...), to, strconv.FormatInt(q.Size, 10))...)
	}
	if err != nil {
		return err
	}
	return x.o.Disk.Do(durable.Sync, to, func() error {
		f, err := os.OpenFile(to, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
	})
}

// copyDisk makes a disk of a blob, which is of its format and stands alone, and lets it grow.
func (x *session) copyDisk(ctx context.Context, q *device.CreateVolumeReq, to string) error {
	from := x.blobPath(q.Blobs[0])
	size, err := fileSize(from)
	if err != nil {
		return err
	}
	raw := driver(q.Format) == "raw"
	if !raw {
		// Before anything else reads it.
		about, err := x.inspect(ctx, from, q.Format)
		if err != nil {
			return err
		}
		size = about.Size
	}
	err = x.o.Disk.Do(durable.Write, to, func() error { return x.copy(ctx, from, to) })
	if err != nil || q.Size <= size || q.Format == "iso" {
		return err
	}
	return x.grow(ctx, to, q.Format, q.Size)
}

// grow makes a disk larger. A format that cannot grow is made anew of its content.
func (x *session) grow(ctx context.Context, path, format string, size int64) error {
	bytes := strconv.FormatInt(size, 10)
	switch format {
	case "raw":
		return resize(path, size)
	case "qcow2":
		_, err := x.qemuImg(ctx, nil, "resize", "-q", "-f", format, path, bytes)
		return err
	}
	raw := path + ".raw"
	defer func() { _ = os.Remove(raw) }()
	_, err := x.qemuImg(ctx, nil, "convert", "-q", "-f", driver(format), "-O", "raw", path, raw)
	if err == nil {
		err = resize(raw, size)
	}
	if err == nil {
		_, err = x.qemuImg(ctx, nil, append(append([]string{"convert", "-q", "-f", "raw", "-O",
			driver(format)}, exact(format)...), raw, path)...)
	}
	return err
}

// resize gives a file a size, and makes it if need be; what is added takes no room.
func resize(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

func fileSize(path string) (int64, error) {
	i, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return i.Size(), nil
}

// hole is how large a run of zeros is that is left out.
const hole = 64 << 10

// copy copies a file into a new one, which has holes where there are zeros.
func (x *session) copy(ctx context.Context, from, to string) error {
	size, err := fileSize(from)
	if err == nil {
		err = x.room(used(from))
	}
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := sparse(out, patient{ctx, in})
	if err == nil && n != size {
		err = fmt.Errorf("copy %s: %w", from, io.ErrUnexpectedEOF)
	}
	if err == nil {
		err = out.Truncate(size)
	}
	return errors.Join(err, out.Close())
}

// sparse copies all bytes but long runs of zeros, and returns how many there were.
func sparse(out *os.File, in io.Reader) (n int64, err error) {
	buf, zeros := make([]byte, 1<<20), make([]byte, hole)
	for {
		got, err := io.ReadFull(in, buf)
		for at := 0; at < got; at += hole {
			piece := buf[at:min(at+hole, got)]
			if bytes.Equal(piece, zeros[:len(piece)]) {
				continue
			}
			if _, err := out.WriteAt(piece, n+int64(at)); err != nil {
				return n, err
			}
		}
		n += int64(got)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
