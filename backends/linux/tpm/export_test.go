package tpm

import "github.com/evetwin/evetwin/backends/eventlog"

// Measured is the log of what was measured, for tests.
type Measured struct{ measured }

// NewMeasured is the log of a process that starts.
func NewMeasured(path string) *Measured { return &Measured{measured{path: path}} }

// Measure measures an event.
func (m *Measured) Measure(t *TPM, e eventlog.Event) (before bool, err error) {
	return m.measure(t, e)
}

// Log is what was measured.
func (m *Measured) Log(t *TPM) (eventlog.Log, error) {
	b, err := m.bytes(t)
	if err != nil {
		return nil, err
	}
	return eventlog.Parse(b)
}

// Intend writes an event to the log and dies before it is measured.
func (m *Measured) Intend(t *TPM, e eventlog.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.settle(t); err != nil {
		return err
	}
	return m.write(append(m.log[:len(m.log):len(m.log)], e))
}
