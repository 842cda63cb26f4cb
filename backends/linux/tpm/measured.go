package tpm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/evetwin/evetwin/backends/eventlog"
	"github.com/evetwin/evetwin/backends/linux/store/durable"
)

// measured is the log of what was measured since the last reset. An event is in the log before its
// register is extended, so that none is measured that the log does not have; one that was not
// measured after all is found out by what the register holds.
type measured struct {
	path string // of its file; empty: there is none

	mu sync.Mutex
	// known says that log is what the registers hold.
	known bool
	log   eventlog.Log
}

// forget drops the log, after a reset.
func (m *measured) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log, m.known = nil, false
	if m.path != "" {
		_ = os.Remove(m.path) // what does not fit the registers is dropped, too
	}
}

// doubt has the log compared with the registers before it is used again.
func (m *measured) doubt() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = false
}

// measure extends a register, unless the log has the event already.
func (m *measured) measure(t *TPM, e eventlog.Event) (before bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.settle(t); err != nil {
		return false, err
	}
	if m.log.Has(e) {
		return true, nil
	}
	m.known = false
	if err := m.write(append(m.log[:len(m.log):len(m.log)], e)); err != nil {
		return false, err
	}
	if err := t.Extend(e.Register, e.Digest()); err != nil {
		return false, err
	}
	m.known = true
	return false, nil
}

// bytes is the log as TCG writes it.
func (m *measured) bytes(t *TPM) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.settle(t); err != nil {
		return nil, err
	}
	return m.log.Bytes(), nil
}

// write replaces the log. Its folder is made: below /run there is none after a reset.
func (m *measured) write(log eventlog.Log) error {
	if m.path != "" {
		err := os.MkdirAll(filepath.Dir(m.path), 0o700)
		if err == nil {
			err = durable.Disk{}.Write(m.path, log.Bytes(), 0o600)
		}
		if err != nil {
			return fmt.Errorf("write event log %s: %w", m.path, err)
		}
	}
	m.log = log
	return nil
}

// settle makes the log what the registers hold, after a restart or an error.
func (m *measured) settle(t *TPM) error {
	if m.known {
		return nil
	}
	if m.path != "" {
		text, err := os.ReadFile(m.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read event log %s: %w", m.path, err)
		}
		if m.log, err = eventlog.Parse(text); err != nil {
			return fmt.Errorf("read event log %s: %w", m.path, err)
		}
	}
	var kept eventlog.Log
	for i, e := range m.log {
		stays, err := m.holds(t, i, e.Register)
		if err != nil {
			return err
		}
		if stays {
			kept = append(kept, e)
		}
	}
	if len(kept) != len(m.log) {
		if err := m.write(kept); err != nil {
			return err
		}
	}
	m.known = true
	return nil
}

// holds reports whether event number i of the log was measured: all of a register were, all but the
// last, or none, after a reset of the module alone. What firmware measured there first cannot be
// replayed; then all were.
func (m *measured) holds(t *TPM, i int, register uint32) (bool, error) {
	now, err := t.PCRs([]uint32{register})
	if err != nil {
		return false, err
	}
	var value, before [32]byte
	last := -1
	for n, e := range m.log {
		if e.Register == register {
			before, value, last = value, e.Extend(value), n
		}
	}
	switch now[0] {
	case value:
		return true, nil
	case [32]byte{}:
		return false, nil
	case before:
		return i != last, nil
	}
	return true, nil
}
