package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/store/watch"
	device "github.com/evetwin/evetwin/core/device/log"
	"github.com/evetwin/evetwin/core/logspool"
)

// boot is the part from one Wire to the next: the writer.
type boot struct {
	p *Part
	// some wakes it for the first line that waits, much when half of what may wait does, look when
	// files are gone.
	some, much, look chan struct{}
	flush            chan chan struct{}
	stop, ended      chan struct{}
	// show puts the row, or takes it away; whole says that everything was looked at.
	show func(row device.SpoolSeen, ok, whole bool)

	dir   *folder
	watch *watch.Watcher
	spool *logspool.Spool
	bad   bool // an error was told
	row   device.SpoolSeen

	mu   sync.Mutex
	gone []string // names of files that somebody removed
	lost bool     // look at everything
}

// run adopts the files, and writes until it is stopped.
func (b *boot) run() {
	defer close(b.ended)
	b.adopt()
	defer b.shut()
	row, ok := b.spool.Seen()
	b.row = row
	b.show(row, ok, true)
	wake(b.some) // lines that came before
	tick := time.NewTimer(time.Hour)
	tick.Stop()
	defer tick.Stop()
	ticking := false
	for {
		select {
		case <-b.some:
			if !ticking {
				ticking = true
				tick.Reset(b.p.o.Every)
			}
		case <-tick.C:
			ticking = false
			b.write()
			b.tell()
		case <-b.much:
			b.write() // the row follows with the next tick
			wake(b.some)
		case <-b.look:
			if b.forget() {
				wake(b.some)
			}
		case done := <-b.flush:
			tick.Stop()
			ticking = false
			b.write()
			b.tell()
			close(done)
		case <-b.stop:
			b.write()
			return
		}
	}
}

// write writes what waits.
func (b *boot) write() {
	b.p.mu.Lock()
	lines, dropped := b.p.queue.Take()
	b.p.mu.Unlock()
	b.spool.Drop(dropped)
	if len(lines) > 0 {
		b.told(b.spool.Write(b.p.o.Now(), lines))
	}
}

// tell puts the row if it moved.
func (b *boot) tell() {
	if row, ok := b.spool.Seen(); row != b.row {
		b.row = row
		b.show(row, ok, false)
	}
}

// Changed notes a file that is gone; the watcher calls it.
func (b *boot) Changed(dir, name string) {
	if name != "" {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	b.mu.Lock()
	if name == "" {
		b.lost = true
	} else {
		b.gone = append(b.gone, name)
	}
	b.mu.Unlock()
	wake(b.look)
}

// Lost has everything looked at; the watcher calls it.
func (b *boot) Lost() { b.Changed(b.dir.dir, "") }

// forget forgets what is gone, and reports whether that is news.
func (b *boot) forget() (news bool) {
	b.mu.Lock()
	gone, lost := b.gone, b.lost
	b.gone, b.lost = nil, false
	b.mu.Unlock()
	for _, name := range gone {
		news = b.spool.Gone(name) || news
	}
	if lost {
		b.told(b.spool.Look())
	}
	return news || lost
}
