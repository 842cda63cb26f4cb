package linux

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/hub/face"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
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

// All does f with each row that the hub shows, in order, but for the room that is left.
func (m *machine) All(f func(topic, key string, row []byte)) {
	root := m.device.root
	for _, base := range []string{root.Run(), filepath.Join(root.Persist(), "status")} {
		found, _ := filepath.Glob(filepath.Join(base, "*", "*", "*.json")) // the pattern is good
		sort.Strings(found)
		for _, path := range found {
			dir, file := filepath.Split(path)
			topic, err := filepath.Rel(base, dir)
			row, rerr := os.ReadFile(path)
			if err != nil || rerr != nil || topic == volume.Mgr.String() {
				continue // it went meanwhile, or tells of a disk that others write to
			}
			f(topic, strings.TrimSuffix(strings.ReplaceAll(file, "!", "/"), ".json"), row)
		}
	}
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
