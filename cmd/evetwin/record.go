package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// recordFile is a recording into a file; a nil one records nothing.
type recordFile struct {
	file *os.File
	rec  *trace.Recorder
}

// newRecordFile begins a recording, which is written beside the loop of the device and has to be
// closed; an empty path is none.
func newRecordFile(path string) (*recordFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record the run: %w", err)
	}
	return &recordFile{f, recording.Beside(f)}, nil
}

// shape has a device recorded.
func (r *recordFile) shape(o *twin.DeviceOptions) {
	if r != nil {
		recording.Shape(r.rec, o)
	}
}

// flushEvery is how much of a recording in real time a killed program may lose.
const flushEvery = time.Second

// flushing has the recording of a device in real time written every second until it is stopped.
func (r *recordFile) flushing(post func(func())) (stop func()) {
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
				post(func() { _ = r.rec.Flush() }) // an error stays, and close returns it
			}
		}
	}()
	return func() { tick.Stop(); close(done); <-ended }
}

// close ends the recording of devices whose loops have ended.
func (r *recordFile) close() error {
	if r == nil {
		return nil
	}
	if err := errors.Join(r.rec.Close(), r.file.Close()); err != nil {
		return fmt.Errorf("record the run: %w", err)
	}
	return nil
}
