package farm

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/evetwin/evetwin/scenarios/explore"
)

// Carry finds how the runs of an exploration are made; an error refuses it.
type Carry func(s *Spec) (func(j *explore.Job) (*explore.Run, error), error)

// grace is how long a worker that ends waits for runs under way.
const grace = 10 * time.Second

// WorkerOptions of a worker.
type WorkerOptions struct {
	Conn *Conn
	// Build is the code this worker runs: explorations of another are refused.
	Build string
	// Only names the one exploration to work for; the worker ends with it. Empty means any, as they
	// come.
	Only string
	// Jobs is how many worlds run at a time, at least 1.
	Jobs  int
	Carry Carry
	// Say is told what people should know; may be nil.
	Say func(text string)
}

// worker takes part in the explorations of a server.
type worker struct {
	o     WorkerOptions
	id    string
	host  string
	slots chan struct{} // one for each run under way
	wg    sync.WaitGroup
	// serving and refused are the explorations of the server, by name.
	serving map[string]*service
	refused map[string]string
}

// service is an exploration that the worker takes part in.
type service struct {
	spec Spec
	stop context.CancelFunc
}

// Work takes part until the context ends, the server is lost or, with Only, the exploration is
// over. A worker that only finds explorations of other builds ends with an error that names both.
func Work(ctx context.Context, o WorkerOptions) error {
	o.Jobs = max(o.Jobs, 1)
	if o.Say == nil {
		o.Say = func(string) {}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	w := &worker{o: o, host: host, id: fmt.Sprintf("%s-%d-%s", host, os.Getpid(), nuid.Next()[14:]),
		slots: make(chan struct{}, o.Jobs), serving: map[string]*service{},
		refused: map[string]string{}}
	inner, stop := o.Conn.bind(ctx)
	defer stop()
	for again := true; again && err == nil; {
		again, err = w.watch(inner)
	}
	for _, s := range w.serving {
		s.stop()
	}
	w.wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	if why := context.Cause(inner); why != nil {
		err = why
	}
	return err
}

// watch follows the explorations of the server until they must be looked at anew.
func (w *worker) watch(ctx context.Context) (again bool, err error) {
	key := w.o.Only
	if key == "" {
		key = ">"
	}
	var list jetstream.KeyWatcher
	err = w.o.Conn.persist(ctx, func(context.Context) error {
		kv, err := explorations(ctx, w.o.Conn.js)
		if err != nil {
			return err
		}
		list, err = kv.Watch(ctx, key)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for explorations on the farm at %s: %w", w.o.Conn, err)
	}
	defer func() { _ = list.Stop() }() // it goes with the connection otherwise
	seen, all := map[string]bool{}, false
	for {
		select {
		case <-ctx.Done():
			return false, nil
		case <-w.o.Conn.back:
			return true, nil
		case e, ok := <-list.Updates():
			if !ok {
				return ctx.Err() == nil, nil
			}
			if e == nil {
				all = true
				w.leave(seen)
			} else if over := w.follow(ctx, e, seen); over {
				return false, nil
			}
			if all {
				if err := w.useless(); err != nil {
					return false, err
				}
			}
		}
	}
}

// leave ends what is not on the server any more.
func (w *worker) leave(seen map[string]bool) {
	for name, s := range w.serving {
		if !seen[name] {
			s.stop()
			delete(w.serving, name)
		}
	}
	for name := range w.refused {
		if !seen[name] {
			delete(w.refused, name)
		}
	}
	if len(seen) == 0 {
		w.o.Say("waiting for an exploration")
	}
}

// follow takes note of an exploration that begins or ends; over says that the one we are here for
// has ended.
func (w *worker) follow(ctx context.Context, e jetstream.KeyValueEntry, seen map[string]bool) bool {
	name := e.Key()
	was := w.serving[name]
	if e.Operation() != jetstream.KeyValuePut {
		delete(w.refused, name)
		if was != nil {
			was.stop()
			delete(w.serving, name)
			w.o.Say(name + " is over")
		}
		return was != nil && w.o.Only != ""
	}
	seen[name] = true
	var s Spec
	if err := json.Unmarshal(e.Value(), &s); err != nil {
		w.refuse(&Spec{Name: name}, fmt.Sprintf("its description cannot be read: %v", err))
		return false
	}
	if was != nil {
		if was.spec == s {
			return false
		}
		was.stop()
		delete(w.serving, name)
	}
	if s.Build != w.o.Build {
		w.refuse(&s, fmt.Sprintf("%s is explored by build %s, this worker is build %s", name, s.Build,
			w.o.Build))
		return false
	}
	run, err := w.o.Carry(&s)
	if err != nil {
		w.refuse(&s, err.Error())
		return false
	}
	delete(w.refused, name)
	inner, stop := context.WithCancel(ctx)
	now := &service{spec: s, stop: stop}
	w.serving[name] = now
	w.o.Say(fmt.Sprintf("works for %s: %s under %s", name, s.Scenario, s.Profile))
	w.wg.Go(func() {
		defer stop()
		w.serve(inner, &now.spec, run)
	})
	return false
}

// refuse does not take part, and says so here and to the coordinator.
func (w *worker) refuse(s *Spec, why string) {
	if w.refused[s.Name] == why {
		return
	}
	w.refused[s.Name] = why
	w.o.Say("does not take part: " + why)
	if b, err := json.Marshal(hello{Host: w.host, Build: w.o.Build, Refused: why}); err == nil {
		_ = w.o.Conn.nc.Publish(s.helloSubject(), b) // a courtesy
	}
}

// useless is an error if there are explorations, but none to take part in.
func (w *worker) useless() error {
	if len(w.serving) > 0 || len(w.refused) == 0 {
		return nil
	}
	first := ""
	for name := range w.refused {
		if first == "" || name < first {
			first = name
		}
	}
	_ = w.o.Conn.nc.Flush() // the refusal is to arrive
	return fmt.Errorf("the farm at %s has no work for this worker: %s", w.o.Conn, w.refused[first])
}
