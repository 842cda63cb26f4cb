package boot

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	device "github.com/evetwin/evetwin/core/device/boot"
)

// told is how a boot came about, as the first process of the boot found it.
type told struct {
	// Boot is the kernel's name of the boot.
	Boot  string
	Story device.BootSeen
}

// bootID is where the kernel names its boot.
const bootID = "/proc/sys/kernel/random/boot_id"

// once is how this boot came about: a later process of the same boot tells what the first one told.
func (b *boot) once() device.BootSeen {
	if b.o.Told == "" {
		return b.story()
	}
	id, err := os.ReadFile(bootID)
	if err != nil {
		b.o.OnError(err)
		return b.story()
	}
	now := strings.TrimSpace(string(id))
	var was told
	if text, err := os.ReadFile(b.o.Told); err == nil && json.Unmarshal(text, &was) == nil &&
		was.Boot == now {
		return was.Story
	}
	was = told{now, b.story()}
	text, err := json.Marshal(was)
	if err == nil {
		err = renameio.WriteFile(b.o.Told, text, 0o600)
	}
	if err != nil {
		b.o.OnError(err)
	}
	return was.Story
}
