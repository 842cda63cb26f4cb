package store

import (
	"os"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Options of a Store.
type Options struct {
	// Root is the folder that the device takes for "/"; empty means "/".
	Root string
	// ConfigFrom is the folder that the files of /config were copied from, where the partition that
	// the device was installed on is mounted; empty where /config is that folder.
	ConfigFrom string
	// VaultKey opens the vault; see package vault. Nil leaves a vault locked, and makes none.
	VaultKey []byte
	// KeyLater: the key comes by Unlock or UnlockBy. Until then a vault that is not made yet is
	// locked, too, and nothing gets into it in the clear.
	KeyLater bool
	// Downloads is the folder of downloads, shared with the part web, at DownloadDir(Root); nil makes
	// one of its own.
	Downloads *partial.Dir
	// Keeper returns the keeper of the device's secrets; it is called at each boot, on the device's
	// loop. Nil makes one of its own.
	Keeper func() *secret.Keeper
	// LogQuota is how many bytes of /persist are for logs.
	LogQuota int64
	// QemuImg is the program that knows formats of disks; empty means "qemu-img".
	QemuImg string
	// ZFS is the program that makes zvols where /persist lies on ZFS; empty means "zfs".
	ZFS string
	// Disk has the steps of what is written.
	Disk durable.Disk
	// Removed is called when a volume was removed, on a goroutine of its call; may be nil.
	Removed func(volumeKey string)
	// OnError is told of what goes wrong outside of calls, from any goroutine; may be nil.
	OnError func(error)
}

// Store is the part. Its methods but Wire may be called from any goroutine.
type Store struct {
	o Options

	mu     sync.Mutex
	now    *session
	state  vault.State
	why    error
	images map[string]virtualSize // by path
}

// New makes the part; nothing is touched before it is wired.
func New(o Options) *Store {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.QemuImg == "" {
		o.QemuImg = "qemu-img"
	}
	if o.ZFS == "" {
		o.ZFS = "zfs"
	}
	if o.Downloads == nil {
		o.Downloads = partial.New(DownloadDir(o.Root), o.Disk)
	}
	if o.Keeper == nil {
		o.Keeper = func() *secret.Keeper { return secret.New(nil) }
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return &Store{o: o, images: map[string]virtualSize{}}
}

// Wire serves the ops of the part on a boot, and looks at the disk. What is left of an earlier boot
// is stopped first.
func (s *Store) Wire(k *host.Kernel) {
	s.o.Downloads.Shut()
	x := newSession(s, k.Part("store"))
	s.mu.Lock()
	old := s.now
	s.now = x
	s.mu.Unlock()
	x.serve()
	x.begin(func() {
		if old != nil {
			old.halt()
		}
		x.boot()
	})
}

// Halt stops all work and waits for its end, as a power cut does; Wire begins anew. What was under
// way stays unfinished on the disk.
func (s *Store) Halt() {
	s.mu.Lock()
	x := s.now
	s.mu.Unlock()
	if x != nil {
		x.halt()
	}
}

// readFile reads a small file by its path on the device. One that is no file, or a link to one, is
// not there.
func (s *Store) readFile(path string) ([]byte, error) {
	i, err := os.Lstat(s.host(path))
	switch {
	case err != nil:
		return nil, err
	case !i.Mode().IsRegular():
		return nil, &os.PathError{Op: "read", Path: path, Err: os.ErrNotExist}
	case i.Size() > device.MaxFile:
		return nil, &os.PathError{Op: "read", Path: path, Err: errLarge}
	}
	return os.ReadFile(s.host(path))
}
