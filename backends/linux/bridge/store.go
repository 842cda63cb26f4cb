package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

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

// bootID is the kernel's name of this boot.
func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the number of the boot: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// save writes down what the kernel cannot tell.
func (m *machine) save() error {
	clear(m.sizes)
	x := memory{Boot: m.boot, Learned: m.learned}
	for _, key := range slices.Sorted(maps.Keys(m.specs)) {
		x.Items = append(x.Items, device.ItemSeen{Item: key, Spec: m.specs[key]})
	}
	text, err := json.MarshalIndent(x, "", " ")
	if err == nil {
		err = renameio.WriteFile(filepath.Join(m.o.State, stateFile), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep what was configured: %w", err)
	}
	if m.k.after != nil {
		return m.k.after("write " + stateFile)
	}
	return nil
}

// load adopts what an earlier process configured in this boot, and starts the services, which ended
// with it. A file that makes no sense is as good as none.
func (m *machine) load() error {
	text, err := os.ReadFile(filepath.Join(m.o.State, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was configured: %w", err)
	}
	var x memory
	if json.Unmarshal(text, &x) != nil || x.Boot != m.boot {
		return nil
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
	var failed error
	for _, name := range m.items("service") {
		if d.link(name) != nil {
			failed = errors.Join(failed, m.serve(name))
		}
	}
	return failed
}
