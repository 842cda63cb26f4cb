package bridge

import (
	"errors"
	"maps"
	"slices"
	"time"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// stateFile is the file in the folder of Options.State.
const stateFile = "bridge.json"

// memory is what the kernel cannot tell, as it stands in the file.
type memory struct {
	// Boot is the kernel's; what another one was told is void.
	Boot    string
	Items   []device.ItemSeen
	Learned map[string]map[string]time.Time `json:",omitempty"`
}

// save writes down what the kernel cannot tell.
func (m *machine) save() error {
	clear(m.sizes)
	x := memory{Boot: m.note.Boot, Learned: m.learned}
	for _, key := range slices.Sorted(maps.Keys(m.specs)) {
		x.Items = append(x.Items, device.ItemSeen{Item: key, Spec: m.specs[key]})
	}
	return m.note.Save(x)
}

// Load adopts what an earlier process configured in this boot, and starts the services, which ended
// with it.
func (m *machine) Load() error {
	var x memory
	if ok, err := m.note.Load(&x); err != nil || !ok {
		return err
	}
	for _, i := range x.Items {
		if kind, name := split(i.Item); fits(kind, name, &i.Spec) == nil {
			m.specs[i.Item] = i.Spec
		}
	}
	if x.Learned != nil {
		m.learned = x.Learned
	}
	d, err := m.dump()
	if err != nil {
		return err
	}
	m.inet = m.translation(d).sizes()
	for _, name := range m.items("bridge") {
		m.trees[name] = m.spec("bridge/" + name).Bridge.STP
	}
	failed := m.settleLog()
	for _, name := range m.items("service") {
		if d.Link(name) != nil {
			failed = errors.Join(failed, m.serve(name))
		}
	}
	return failed
}
