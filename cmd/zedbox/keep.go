package main

import (
	"context"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/disk/keep"
	"github.com/evetwin/evetwin/core/host"
)

// keepWithin is how long a change of a model's disk may stay unsaved: what a power cut may lose.
const keepWithin = 100 * time.Millisecond

// keeper saves the disk of models, so that the device is the same one in its next life.
type keeper struct {
	folder *keep.Folder
	disk   *disk.Disk
	onLine func(text string)
}

// run saves the disk behind each change of tables until ctx ends.
func (k *keeper) run(ctx context.Context, h *hub.Hub) {
	w := h.Watch()
	defer w.Close()
	for {
		select {
		case <-w.C():
		case <-ctx.Done():
			return
		}
		t := time.NewTimer(keepWithin)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		var s *keep.State
		if h.Device().Do(ctx, func(*host.Kernel) { s = keep.Take(k.disk) }) != nil {
			return
		}
		k.save(s)
	}
}

// end saves the disk of a device whose loop has ended.
func (k *keeper) end() { k.save(keep.Take(k.disk)) }

// save tells what goes wrong; the next change is another attempt.
func (k *keeper) save(s *keep.State) {
	if err := k.folder.Save(s); err != nil {
		k.onLine(err.Error())
	}
}
