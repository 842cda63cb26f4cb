package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/core/host"
)

// deviceName is what a recording calls the device: it is the only one there.
const deviceName = "device"

// tape is the recording of the agents that join the hub together; without a folder for recordings
// it records nothing.
type tape struct {
	file *taping.File
	take func(*host.Proc, *host.Input, *host.Output)
	stop func()
}

// newTape begins a recording in the folder for them: a file for each process, and one more for each
// time it joins the hub anew.
func newTape(b *box, name string) (*tape, error) {
	t := &tape{stop: func() {}}
	if b.recordDir == "" {
		return t, nil
	}
	if err := os.MkdirAll(b.recordDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for recordings: %w", err)
	}
	b.tapes++
	file := fmt.Sprintf("%s-%d-%d.ev", name, os.Getpid(), b.tapes)
	f, err := taping.Create(filepath.Join(b.recordDir, file))
	if err != nil {
		return nil, err
	}
	t.file, t.take = f, f.Recorder.OnTurn(deviceName)
	return t, nil
}

// turn takes down a turn.
func (t *tape) turn(p *host.Proc, in *host.Input, out *host.Output) {
	if t.take != nil {
		t.take(p, in, out)
	}
}

// joined has the recording written every second from now on.
func (t *tape) joined(post func(func())) {
	t.stop()
	t.stop = t.file.Flushing(post)
}

// close ends the recording, when the loop has ended.
func (t *tape) close() error {
	t.stop()
	return t.file.Close()
}
