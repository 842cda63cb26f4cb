package linux

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hub/face"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// dir is where the hub shows the rows of a topic.
func (m *machine) dir(d *bus.Decl) string {
	base := m.device.root.Run()
	if d.Life == bus.Persistent {
		base = filepath.Join(m.device.root.Persist(), "status")
	}
	return filepath.Join(base, d.Owner, d.Name)
}

// Row is a row as JSON, nil if there is none.
func (m *machine) Row(d *bus.Decl, key string) []byte {
	b, err := os.ReadFile(filepath.Join(m.dir(d), face.FileOf(key)))
	if err != nil {
		return nil
	}
	return b
}

// Keys are those of a topic, in order.
func (m *machine) Keys(d *bus.Decl) (out []string) {
	list, _ := os.ReadDir(m.dir(d)) // a topic that nobody has shown yet has no folder
	for _, e := range list {
		if key, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			out = append(out, strings.ReplaceAll(key, "!", "/"))
		}
	}
	sort.Strings(out)
	return out
}

// Agents are those of the roster.
func (m *machine) Agents() (out []string) {
	for _, e := range roster.Agents() {
		out = append(out, e.Name)
	}
	return out
}

// Crash kills the process of an agent.
func (m *machine) Crash(agent string) {
	s, err := zedbox.ReadStatus(m.device.root)
	if err != nil {
		scenario.Stop("crash %s: %v", agent, err)
	}
	for _, p := range append(s.Agents, s.Hub) {
		if p.Name == agent && p.PID != 0 {
			if err := unix.Kill(p.PID, unix.SIGKILL); err != nil {
				scenario.Stop("crash %s: %v", agent, err)
			}
			return
		}
	}
}

// Running says how often a process of the device was started again; false while it does not run.
func (m *machine) Running(process string) (restarts int, ok bool) {
	s, err := zedbox.ReadStatus(m.device.root)
	if err != nil {
		return 0, false
	}
	for _, p := range append(s.Agents, s.Hub) {
		if p.Name == process {
			return p.Restarts, p.State == zedbox.Running
		}
	}
	return 0, false
}

// Guests counts guests that run.
func (m *machine) Guests(app string) (n int) {
	for _, key := range m.Keys(hyper.Domains.Decl) {
		var d hyper.DomainSeen
		if json.Unmarshal(m.Row(hyper.Domains.Decl, key), &d) == nil && d.AppID == app &&
			d.State == hyper.Running {
			n++
		}
	}
	return n
}

// address is the address of the device on its first cable.
func (m *machine) address() string {
	var d network.DeviceNetworkStatus
	if json.Unmarshal(m.Row(network.DNS.Decl, entity.Global), &d) != nil {
		return ""
	}
	for i := range d.Ports {
		if p := &d.Ports[i]; p.IfName == cables()[0].port {
			for _, a := range p.Addrs() {
				if a.Is4() {
					return a.String()
				}
			}
		}
	}
	return ""
}

// Answers reports whether an application answers over HTTP on a mapped port.
func (m *machine) Answers(_ string, port uint16) bool {
	_, err := m.Get(port)
	return err == nil
}

// Get asks the application behind a mapped port, from the outside.
func (m *machine) Get(port uint16) ([]byte, error) {
	a := m.address()
	if a == "" {
		return nil, fmt.Errorf("ask port %d: the device has no address", port)
	}
	return m.outside.get(fmt.Sprintf("http://%s:%d/", a, port))
}
