// Package store keeps what a controller must not forget over a restart: its seed, which all its
// keys derive from, the generation of its signing certificate, and the fleet.
package store

import (
	"errors"
	"sync"

	"github.com/evetwin/evetwin/controllersim/fleet"
)

// ErrEmpty is what Load returns before the first Save.
var ErrEmpty = errors.New("store is empty")

// State is what is kept.
type State struct {
	// Seed is the controller's seed, a secret.
	Seed []byte `json:"seed"`
	// Generation counts the rotations of the signing certificate.
	Generation int `json:"generation"`
	// Fleet holds the records of devices.
	Fleet fleet.Snapshot `json:"fleet"`
}

// Store keeps one State. Save replaces it as a whole: after a crash Load returns what some Save was
// given, the last one that returned or a later one.
type Store interface {
	// Load returns what was saved last, or ErrEmpty.
	Load() (State, error)
	// Save keeps a state. It is durable when Save returns, as far as the store can make it.
	Save(State) error
}

// Memory is a Store that lasts as long as the process. The zero value is ready.
type Memory struct {
	mu    sync.Mutex
	state *State
}

var _ Store = (*Memory)(nil)

// Load returns what was saved last.
func (m *Memory) Load() (State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state == nil {
		return State{}, ErrEmpty
	}
	return *m.state, nil
}

// Save keeps a state.
func (m *Memory) Save(s State) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = &s
	return nil
}
