package main

import (
	"bufio"
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
	buf  *bufio.Writer
	rec  *trace.Recorder
}

// newRecordFile begins a recording; an empty path is none.
func newRecordFile(path string) (*recordFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record the run: %w", err)
	}
	b := bufio.NewWriter(f)
	return &recordFile{f, b, trace.NewRecorder(b)}, nil
}

// shape has a device recorded.
func (r *recordFile) shape(o *twin.DeviceOptions) {
	if r != nil {
		recording.Shape(r.rec, o)
	}
}

// flushEvery is how much of a recording in real time a killed program may lose.
const flushEvery = time.Second

// flushing has the recording of a device in real time written every second, on the device's loop,
// until it is stopped.
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
				post(func() { // an error stays, and close returns it
					if r.rec.Flush() == nil {
						_ = r.buf.Flush()
					}
				})
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
	if err := errors.Join(r.rec.Close(), r.buf.Flush(), r.file.Close()); err != nil {
		return fmt.Errorf("record the run: %w", err)
	}
	return nil
}
