package face

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/hub"
)

// Names of files in the folder of a topic.
const (
	suffix    = ".json"
	restarted = "restarted"
	// fresh is a file that is being written; it takes its name when it is whole.
	fresh = ".fresh"
)

// prepare empties the folder of a topic: what it has was left by an earlier hub.
func (s *server) prepare(x *shown) error {
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(x.dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name(), suffix) || e.Name() == restarted || e.Name() == fresh {
			if err := os.Remove(filepath.Join(x.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// write brings the files of a topic to where the table is: rows first, then the counter.
func (s *server) write(x *shown, t *hub.Topic) error {
	for key, v := range t.Rows.Since(x.rows) {
		if strings.Contains(key, "\x00") || len(key)+len(suffix) > 255 {
			s.o.OnLine(fmt.Sprintf("%s/%s: key %q is no name of a file", t.Owner, t.Name, key))
			continue
		}
		path := filepath.Join(x.dir, FileOf(key))
		if v != nil {
			if err := put(x.dir, path, v.(*hub.Row).JSON); err != nil {
				return err
			}
		} else if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	x.rows = t.Rows
	if x.restarts == t.Restarts {
		return nil
	}
	x.restarts = t.Restarts
	return put(x.dir, filepath.Join(x.dir, restarted), []byte(strconv.Itoa(t.Restarts)))
}

// FileOf is the name of the file with the row of a key: slashes, which parts have in the keys of
// what they make, become "!".
func FileOf(key string) string { return strings.ReplaceAll(key, "/", "!") + suffix }

// put replaces a file at once. It is a copy of what the hub has, so nothing waits for the disk.
func put(dir, path string, b []byte) error {
	tmp := filepath.Join(dir, fresh)
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
