package taping

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/evetwin/evetwin/core/trace"
)

// File is a recording into a file; a nil one records nothing.
type File struct {
	// Recorder takes down turns. It belongs to the loop of the device.
	Recorder *trace.Recorder
	file     *os.File
}

// Create begins a recording, which is written beside the loop of the device and has to be closed;
// an empty path is none. Only its owner may read it.
func Create(path string) (*File, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record the run: %w", err)
	}
	return &File{Beside(f), f}, nil
}

// flushEvery is how much of a recording in real time a killed program may lose.
const flushEvery = time.Second

// Flushing has the recording of a device in real time written every second until it is stopped;
// post brings a function onto the loop of the device.
func (r *File) Flushing(post func(func())) (stop func()) {
	if r == nil {
		return func() {}
	}
	tick, done := time.NewTicker(flushEvery), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				post(func() { _ = r.Recorder.Flush() }) // an error stays, and Close returns it
			}
		}
	}()
	return func() { tick.Stop(); close(done); <-ended }
}

// Close ends the recording of devices whose loops have ended, and returns its first error.
func (r *File) Close() error {
	if r == nil {
		return nil
	}
	if err := errors.Join(r.Recorder.Close(), r.file.Close()); err != nil {
		return fmt.Errorf("record the run: %w", err)
	}
	return nil
}
