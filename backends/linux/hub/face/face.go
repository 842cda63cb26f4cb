package face

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/core/bus"
)

// Options of a face.
type Options struct {
	// Run and Persist are the folders that are /run and /persist/status on a device.
	Run, Persist string
	// Taken is a path in Run that is somebody else's: no socket is made there. It may be empty.
	Taken string
	// OnLine is told what could not be shown, from any goroutine.
	OnLine func(text string)
	// OnShown is told each time when files and sockets are where the tables were.
	OnShown func()
}

// server is a face that is shown.
type server struct {
	o     Options
	h     *hub.Hub
	ctx   context.Context
	conns sync.WaitGroup
	// shown is what the files have, by topic.
	shown   map[string]*shown
	sockets map[string]*listener // by path
}

// shown is what the files of a topic have.
type shown struct {
	dir      string
	rows     bus.Head
	restarts int
}

// Serve shows the tables of h until ctx ends. The sockets go with it, the files stay, as those of
// an agent that has died do.
func Serve(ctx context.Context, h *hub.Hub, o Options) error {
	if o.OnLine == nil {
		o.OnLine = func(string) {}
	}
	s := &server{o: o, h: h, ctx: ctx, shown: map[string]*shown{}, sockets: map[string]*listener{}}
	defer s.close()
	w := h.Watch()
	defer w.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.C():
		}
		for _, t := range w.Topics() {
			if err := s.topic(&t); err != nil {
				return fmt.Errorf("show topic %s/%s: %w", t.Owner, t.Name, err)
			}
		}
		if s.o.OnShown != nil {
			s.o.OnShown()
		}
	}
}

// topic brings files and sockets of a topic to where the table is.
func (s *server) topic(t *hub.Topic) error {
	name := t.Owner + "/" + t.Name
	x := s.shown[name]
	if x == nil {
		x = &shown{dir: filepath.Join(s.base(t.Life), t.Owner, t.Name)}
		if err := s.prepare(x); err != nil {
			return err
		}
		agents := filepath.Join(s.o.Run, t.Owner)
		if err := os.MkdirAll(agents, 0o700); err != nil {
			return err
		}
		if err := s.listen(agents+".sock", t.Owner, ""); err != nil {
			return err
		}
		if err := s.listen(filepath.Join(agents, t.Name)+".sock", t.Owner, t.Name); err != nil {
			return err
		}
		s.shown[name] = x
	}
	return s.write(x, t)
}

func (s *server) base(l bus.Life) string {
	if l == bus.Persistent {
		return s.o.Persist
	}
	return s.o.Run
}

// close ends all that is served and removes the sockets.
func (s *server) close() {
	for _, l := range s.sockets {
		_ = l.lis.Close()
	}
	s.conns.Wait()
}

// listen makes a socket unless it is there: for one topic of an agent, or for all where topic is
// empty.
func (s *server) listen(path, agent, topic string) error {
	if s.sockets[path] != nil || path == s.o.Taken {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := s.newListener(path, agent, topic)
	if err != nil {
		return err
	}
	s.sockets[path] = l
	return nil
}
