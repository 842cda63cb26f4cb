package live

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// isFull reports whether an error means that the disk has no room: it may pass, and the disk is
// sound.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// roomEvery is how often a journal without room tries again.
const roomEvery = time.Second

// put appends bytes to the file, all of them or, after an error that says full, none.
func (j *journal) put(b []byte) error {
	_, err := j.append(j.file, b)
	if err == nil {
		err = j.sync(j.file)
	}
	if err == nil {
		j.size += int64(len(b))
		return nil
	}
	if !isFull(err) {
		return err
	}
	// Half a group may be there. A later one behind it would never be read.
	if cut := os.Truncate(j.path, j.size); cut != nil {
		return fmt.Errorf("cut off what did not fit: %w", cut)
	}
	return err
}

// hold puts a group that found no room back to the head of the queue.
func (j *journal) hold(list []writing, err error) {
	j.mu.Lock()
	j.queue = append(list, j.queue...)
	first := !j.held
	if j.held = true; first {
		close(j.full)
	}
	j.mu.Unlock()
	if first {
		j.space(fmt.Errorf("write journal %s: %w", j.path, err))
	}
}

// release notes that a group found room.
func (j *journal) release() {
	j.mu.Lock()
	was := j.held
	if j.held = false; was {
		j.full = make(chan struct{})
	}
	j.mu.Unlock()
	if was {
		j.space(nil)
	}
}

// fullNow is closed while the disk is full.
func (j *journal) fullNow() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.full
}

// again is when a journal without room is to try again; nil, never, while there is room.
func (j *journal) again() <-chan time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.held {
		return nil
	}
	return j.retry()
}
