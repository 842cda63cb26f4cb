package partial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
)

// suffix is that of the record beside a download.
const suffix = ".progress"

// maxName is the longest name of a target: file systems take 255 bytes with the suffix.
const maxName = 240

// Errors of targets.
var (
	ErrName = errors.New("not the name of a download") // it has a "/", or means something else
	ErrBusy = errors.New("the download is being written")
	ErrPart = errors.New("the download is not whole")
	ErrShut = errors.New("the downloads are not open")
)

// State is a download as it stands.
type State struct {
	Target string
	// Have is how many bytes are here, Durable how many of them survive a power cut.
	Have, Durable int64
	// Size is that of the whole, 0 while unknown.
	Size int64
	// Tag is what the server calls this state of the content (ETag or Last-Modified).
	Tag string
	// Done says that the whole is here and durable.
	Done bool
}

// record is what the file beside a download says.
type record struct {
	Durable int64  `json:"durable"`
	Size    int64  `json:"size,omitempty"`
	Tag     string `json:"tag,omitempty"`
	Done    bool   `json:"done,omitempty"`
}

// Dir is the folder. Its methods may be called from any goroutine.
type Dir struct {
	path string
	disk durable.Disk

	mu    sync.Mutex
	open  bool
	busy  map[string]*Writer
	taken func(target string)
	ready func()
}

// New names a folder and touches nothing: it may lie in a vault that is locked. There are no
// downloads until Recover. At most one Dir of a process stands for a folder.
func New(path string, disk durable.Disk) *Dir {
	return &Dir{path: path, disk: disk, busy: map[string]*Writer{}}
}

// Open is New and Recover.
func Open(path string, disk durable.Disk) (*Dir, error) {
	d := New(path, disk)
	return d, d.Recover()
}

// Path is where the folder is, for those who watch it.
func (d *Dir) Path() string { return d.path }

// OnTaken has f called, on the goroutine of Take, for each download that became a blob. Only the
// last f counts.
func (d *Dir) OnTaken(f func(target string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken = f
}

// OnReady has f called, on the goroutine of Recover, whenever the folder was recovered, and at once
// if it was. Only the last f counts.
func (d *Dir) OnReady(f func()) {
	d.mu.Lock()
	d.ready = f
	open := d.open
	d.mu.Unlock()
	if open {
		f()
	}
}

// Shut ends the use of the folder until the next Recover: the device boots.
func (d *Dir) Shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = false
}

// Recover makes the folder what its records say. The part store calls it, once in a boot, as soon
// as the vault is open; nobody may be writing.
func (d *Dir) Recover() error {
	if err := d.recover(); err != nil {
		return err
	}
	d.mu.Lock()
	clear(d.busy)
	d.open = true
	f := d.ready
	d.mu.Unlock()
	if f != nil {
		f()
	}
	return nil
}

func (d *Dir) recover() error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("open downloads: %w", err)
	}
	if err := d.disk.Sweep(d.path); err != nil {
		return err
	}
	list, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("open downloads: %w", err)
	}
	for _, e := range list {
		target := strings.TrimSuffix(e.Name(), suffix)
		if _, ok := d.load(target); !ok && e.Type().IsRegular() {
			if err := d.disk.Remove(d.Locate(target), d.Locate(target)+suffix); err != nil {
				return fmt.Errorf("recover download %s: %w", target, err)
			}
			continue
		}
		if err := d.cutOff(target); err != nil {
			return fmt.Errorf("recover download %s: %w", target, err)
		}
	}
	return nil
}

// cutOff removes the bytes behind those that are durable.
func (d *Dir) cutOff(target string) error {
	s, ok := d.load(target)
	if !ok || s.Have == s.Durable {
		return nil
	}
	return os.Truncate(d.Locate(target), s.Durable)
}

// Names reports whether a target can be the name of a download.
func Names(target string) bool {
	return target != "" && len(target) <= maxName && !strings.HasPrefix(target, ".") &&
		!strings.HasSuffix(target, suffix) && !strings.ContainsAny(target, "/\x00")
}

// Locate is the path of a download's bytes. The target must be the name of one.
func (d *Dir) Locate(target string) string { return filepath.Join(d.path, target) }

// load reads what is on the disk of a download; false if that is nothing.
func (d *Dir) load(target string) (State, bool) {
	i, err := os.Lstat(d.Locate(target))
	if err != nil || !i.Mode().IsRegular() || !Names(target) {
		return State{}, false
	}
	text, err := os.ReadFile(d.Locate(target) + suffix)
	var r record
	if err != nil || json.Unmarshal(text, &r) != nil || r.Durable < 0 || r.Durable > i.Size() ||
		r.Done && (r.Durable != i.Size() || r.Size != r.Durable) {
		return State{}, false
	}
	return State{Target: target, Have: i.Size(), Durable: r.Durable, Size: r.Size, Tag: r.Tag,
		Done: r.Done}, true
}

// Get is a download as it stands; false if there is none.
func (d *Dir) Get(target string) (State, bool) {
	d.mu.Lock()
	w := d.busy[target]
	d.mu.Unlock()
	if w != nil {
		return w.State(), true
	}
	return d.load(target)
}

// List are all downloads, by target.
func (d *Dir) List() ([]State, error) {
	list, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("list downloads: %w", err)
	}
	var out []State
	for _, e := range list {
		if s, ok := d.Get(e.Name()); ok {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b State) int { return strings.Compare(a.Target, b.Target) })
	return out, nil
}

// Remove deletes a download; one that is not there is no error. A Writer of it goes on into
// nothing: stop it first.
func (d *Dir) Remove(target string) error {
	if !Names(target) {
		return fmt.Errorf("remove download %q: %w", target, ErrName)
	}
	d.mu.Lock()
	delete(d.busy, target)
	d.mu.Unlock()
	// The record goes last: without the bytes it says nothing.
	if err := d.disk.Remove(d.Locate(target), d.Locate(target)+suffix); err != nil {
		return fmt.Errorf("remove download %s: %w", target, err)
	}
	return nil
}

// Take moves the bytes of a whole download to another path of the same file system, durably. If
// one is gone meanwhile, the error is fs.ErrNotExist.
func (d *Dir) Take(target, path string) error {
	s, ok := d.Get(target)
	switch {
	case !ok:
		return fmt.Errorf("take download %q: %w", target, fs.ErrNotExist)
	case !s.Done:
		return fmt.Errorf("take download %s: %w", target, ErrPart)
	}
	from := d.Locate(target)
	err := d.disk.Do(durable.Rename, path, func() error { return os.Rename(from, path) })
	if err == nil {
		err = d.disk.SyncDir(filepath.Dir(path))
	}
	if err == nil {
		err = d.disk.Remove(from + suffix)
	}
	if err != nil {
		return fmt.Errorf("take download %s: %w", target, err)
	}
	d.mu.Lock()
	f := d.taken
	d.mu.Unlock()
	if f != nil {
		f(target)
	}
	return nil
}
