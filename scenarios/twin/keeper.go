package twin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/disk/keep"
)

// keepEvery is how long a change of a disk may stay unsaved.
const keepEvery = time.Second

// keeper saves the disk of a device in real time: a second after a change at the latest, and when
// the device has ended.
type keeper struct {
	folder *keep.Folder
	disk   *disk.Disk
	post   func(func()) // to the device's loop
	armed  bool         // a save is due; the loop's
	states chan *keep.State
	done   chan struct{}
	failed error // of a save; read after done
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
	return &keeper{folder: folder, states: make(chan *keep.State, 1), done: make(chan struct{})}, nil
}

// run begins to save a disk.
func (k *keeper) run(d *disk.Disk, post func(func())) {
	k.disk, k.post = d, post
	go func() {
		defer close(k.done)
		for s := range k.states {
			k.failed = k.folder.Save(s)
		}
	}()
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
			k.states <- keep.Take(k.disk)
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
	return k.folder.Save(keep.Take(k.disk)) // what failed before is made good, or told, by this
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
