package hyper

import (
	"fmt"
	"io"
	"net"

	device "github.com/evetwin/evetwin/core/device/hyper"
)

// listen hands a guest's console on, to its end. Who calls it has the turn; a guest that does not
// execute yet has written nothing, so that nothing is lost.
func (b *boot) listen(s *device.Spec) {
	if b.o.Console == nil {
		return
	}
	if c := b.consoles[s.Name]; c != nil {
		_ = c.Close() // of the run before, or of the daemon before: QEMU serves one at a time
		delete(b.consoles, s.Name)
	}
	c, err := net.Dial("unix", b.socket(s.Name))
	if err != nil {
		b.o.OnError(fmt.Errorf("listen to the console of domain %s: %w", s.Name, err))
		return
	}
	out := b.o.Console(s.AppID)
	b.consoles[s.Name] = c
	ended := make(chan struct{})
	if !b.begin(func() {
		defer close(ended)
		_, _ = io.Copy(out, c) // a guest's end is no error, and a writer's is its own affair
		_ = c.Close()
	}) {
		close(ended)
		_ = c.Close()
	}
	b.begin(func() {
		select {
		case <-b.ctx.Done():
			_ = c.Close()
		case <-ended:
		}
	})
}
