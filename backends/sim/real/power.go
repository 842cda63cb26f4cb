package real

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// power counts the power cuts, so that a guest on its way up in one does not outlive it.
func (h *Hyper) power() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cuts
}

// admit notes a guest that was launched; false: the power went meanwhile.
func (h *Hyper) admit(run *qemu.VM, cuts int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cuts != cuts {
		return false
	}
	h.live = slices.DeleteFunc(h.live, func(v *qemu.VM) bool {
		select {
		case <-v.Done():
			return true
		default:
			return false
		}
	})
	h.live = append(h.live, run)
	return true
}

// Close destroys every guest; for the end of the process and power cuts.
func (h *Hyper) Close() {
	h.mu.Lock()
	list := h.live
	h.live = nil
	h.cuts++
	h.mu.Unlock()
	var all sync.WaitGroup
	for _, v := range list {
		all.Go(func() { _ = v.Destroy() }) // SIGKILL was its last means
	}
	all.Wait()
}

// Forget removes what QEMU had of a volume that is removed.
func (h *Hyper) Forget(volumeKey string) {
	own := filepath.Join(h.Dir, file(volumeKey))
	left, _ := filepath.Glob(own + ".*")
	for _, path := range append(left, own) {
		_ = os.RemoveAll(path) // swept at the next boot, if need be
	}
}

// sweep removes what is left of volumes that are not there any more, and of earlier boots.
func (h *Hyper) sweep() {
	used := map[string]bool{}
	for key := range h.Disk.Volumes { //order: a set
		used[file(key)] = true
	}
	have, _ := os.ReadDir(h.Dir)
	for _, e := range have {
		name := e.Name()
		if used[name] || used[strings.TrimSuffix(name, filepath.Ext(name))] {
			continue
		}
		os.RemoveAll(filepath.Join(h.Dir, name))
	}
}

// file is the name of a volume's file or folder.
func file(volumeKey string) string { return strings.ReplaceAll(volumeKey, "#", ".") }
