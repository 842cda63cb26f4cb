package live

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// The file is written anew when it has this size and is several times what it was before.
const (
	compactSize  = 8 << 20
	compactTimes = 4
)

// rewrite replaces the file by one with what is in force, atomically, and goes on in that.
func (j *journal) rewrite() error {
	j.mu.Lock()
	b := frame(nil, &entry{Boot: j.n})
	j.mu.Unlock()
	for rows := range slices.Chunk(j.rows(), rewriteRows) {
		b = frame(b, &entry{Rows: rows})
	}
	if err := j.replace(j.path, b); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(j.path)); err != nil {
		return err
	}
	j.size, j.base = int64(len(b)), int64(len(b))
	return j.goOn()
}

// goOn opens the file that is there to append to it.
func (j *journal) goOn() error {
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file = f
	return nil
}

// rewriteRows is how many rows a record holds when the file is written anew; a damaged one takes no
// more with it.
const rewriteRows = 64

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
