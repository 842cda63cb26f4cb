package twin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/disk/keep"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// keepEvery is how long a change of a disk may stay unsaved.
const keepEvery = time.Second

// keeper saves the disk of a device in real time: a second after a change at the latest, before
// rows become durable, which may build on what is on the disk, and when the device has ended.
type keeper struct {
	folder *keep.Folder
	disk   *disk.Disk
	post   func(func()) // to the device's loop
	armed  bool         // a save is due; the loop's
	taken  uint64       // states so far; the loop's
	states chan state
	done   chan struct{}

	mu     sync.Mutex // held while a state is saved
	saved  uint64     // the newest state that was saved, or was tried to be
	failed error      // of the last save
}

// state is a disk as it was; later ones have greater numbers.
type state struct {
	*keep.State
	n uint64
}

// openKeeper takes the disk that is kept in a folder as that of a device, if there is one.
func openKeeper(dir string, o *DeviceOptions) (*keeper, error) {
	folder, err := keep.Open(dir)
	if err != nil {
		return nil, err
	}
	d, err := folder.Load()
	if err != nil {
		return nil, err
	}
	if d != nil {
		if o.Disk != nil { // another machine around the same disk
			d.Total, d.Reserved = o.Disk.Total, o.Disk.Reserved
		}
		o.Disk = d
	}
	return &keeper{folder: folder, states: make(chan state, 1), done: make(chan struct{})}, nil
}

// run begins to save a disk.
func (k *keeper) run(d *disk.Disk, post func(func())) {
	k.disk, k.post = d, post
	go func() {
		defer close(k.done)
		for s := range k.states {
			k.save(s)
		}
	}()
}

// take is the disk as it is, on the device's loop.
func (k *keeper) take() state {
	k.taken++
	return state{keep.Take(k.disk), k.taken}
}

// save saves a state, unless a later one was saved.
func (k *keeper) save(s state) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.n > k.saved {
		k.saved, k.failed = s.n, k.folder.Save(s.State)
	}
}

// flush saves the disk at once, if rows are about to become durable. It is called on the device's
// loop, which waits.
func (k *keeper) flush(out *host.Output) {
	for i := range out.Rows {
		if out.Rows[i].Topic.Life == bus.Persistent && k.disk != nil {
			k.save(k.take())
			return
		}
	}
}

// touch says that something may have changed. It is called on the device's loop.
func (k *keeper) touch() {
	if k.armed {
		return
	}
	k.armed = true
	time.AfterFunc(keepEvery, func() {
		k.post(func() {
			k.armed = false
			select { // a state that waits is older than this one
			case <-k.states:
			default:
			}
			k.states <- k.take()
		})
	})
}

// close saves the disk of a device whose loop has ended.
func (k *keeper) close() error {
	if k.disk == nil {
		return nil
	}
	close(k.states)
	<-k.done
	k.save(k.take()) // what failed before is made good, or told, by this
	return k.failed
}

// identity is what makes a kept device the same one in a later run.
type identity struct {
	Seed uint64 `json:"seed"`
	// Tpm is where the device key is.
	Tpm string `json:"tpm"`
}

// identify takes on the identity that is kept, or keeps the one that is new.
func (l *Live) identify() error {
	if !l.o.Keep {
		return nil
	}
	path := filepath.Join(l.o.Dir, "identity.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = json.Marshal(identity{l.o.Seed, l.Tpm})
		if err == nil {
			err = renameio.WriteFile(path, text, 0o600, renameio.WithTempDir(l.o.Dir))
		}
		if err != nil {
			return fmt.Errorf("keep the identity of the device: %w", err)
		}
		return nil
	}
	var id identity
	if err == nil {
		err = json.Unmarshal(text, &id)
	}
	if err != nil {
		return fmt.Errorf("read the identity of the device from %s: %w", path, err)
	}
	if id.Tpm != l.Tpm {
		return fmt.Errorf("the key of the device in %s is in a TPM of kind %s, and this one is a %s",
			l.o.Dir, id.Tpm, l.Tpm)
	}
	l.o.Seed = id.Seed
	return nil
}
