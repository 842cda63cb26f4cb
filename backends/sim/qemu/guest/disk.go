package guest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// blankBytes is how much of a disk must be zero for it to count as never written to. Every
// filesystem and partition table has something in there.
const blankBytes = 1 << 20

// newFileBuffer buffers the many small writes of an archive.
func newFileBuffer(file *os.File) *bufio.Writer { return bufio.NewWriterSize(file, 256<<10) }

// FormatBlank puts an ext4 filesystem on a raw disk that was never written to, and leaves every
// other alone, so that a data disk is formatted once in its life. It says whether it did.
func FormatBlank(ctx context.Context, disk string) (bool, error) {
	file, err := os.Open(disk)
	if err != nil {
		return false, fmt.Errorf("format disk: %w", err)
	}
	head, err := io.ReadAll(io.LimitReader(file, blankBytes))
	if err := errors.Join(err, file.Close()); err != nil {
		return false, fmt.Errorf("format disk %s: %w", disk, err)
	}
	if len(bytes.TrimLeft(head, "\x00")) > 0 {
		return false, nil
	}
	return true, mkfs(ctx, disk)
}

// makeExt4 makes a sparse file with an ext4 filesystem.
func makeExt4(ctx context.Context, path string, size int64) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		return err
	}
	return mkfs(ctx, path)
}

func mkfs(ctx context.Context, path string) error {
	program, err := lab.Find("mke2fs")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, program, "-q", "-F", "-t", "ext4",
		"-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make a filesystem on %s: %w: %s", path, err, bytes.TrimSpace(out))
	}
	return nil
}
