package boot

import (
	"errors"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/linux/bootnote"
	device "github.com/evetwin/evetwin/core/device/boot"
)

// told is how a boot came about, as the first process of the boot found it.
type told struct {
	// Boot is the kernel's name of the boot.
	Boot  string
	Story device.BootSeen
}

// once is how this boot came about: a later process of the same boot tells what the first one told.
func (b *boot) once() device.BootSeen {
	if b.o.Told == "" {
		return b.story()
	}
	note, err := bootnote.Open(filepath.Dir(b.o.Told), filepath.Base(b.o.Told), 0o700, nil)
	if err != nil {
		b.o.OnError(err)
		return b.story()
	}
	var was told
	ok, err := note.Load(&was)
	if !ok {
		was = told{note.Boot, b.story()}
		err = errors.Join(err, note.Save(was))
	}
	if err != nil {
		b.o.OnError(err)
	}
	return was.Story
}
