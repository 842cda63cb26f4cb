package dryrun

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/backends/sim/nic"
	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/eveapi/readjson"
)

// Machine is the hardware of a device.
type Machine struct {
	// Interfaces are its network interfaces in the order of the model.
	Interfaces []nic.Interface
	// PCI are the addresses of what can be passed through to guests, each once.
	PCI []string
	// MemoryMB, CPUs and DiskBytes are its sizes; 0 where the model does not say.
	MemoryMB  uint64
	CPUs      uint32
	DiskBytes int64

	ios []*config.PhysicalIO
}

// Kinds of interfaces, as the part nic names them.
const (
	kindEther = "ether"
	kindWLAN  = "wlan"
	kindWWAN  = "wwan"
)

// maxNames bounds the interfaces of a machine, maxIfName the length of their names.
const (
	maxNames  = 256
	maxIfName = 15
)

// machineOf is the hardware that a device model describes.
func machineOf(m *readjson.Model) Machine {
	out := Machine{ios: m.IOs()}
	for _, io := range out.ios {
		out.add(io)
	}
	for _, a := range m.Attr {
		switch strings.ToLower(a.Name) {
		case "memory":
			out.MemoryMB = uint64(size(a.Value) >> 20)
		case "storage":
			out.DiskBytes = size(a.Value)
		case "cpus":
			n, _ := strconv.ParseUint(strings.TrimSpace(a.Value), 10, 16)
			out.CPUs = uint32(n)
		}
	}
	return out
}

// guessMachine is the hardware where no model tells: what the configuration describes, with an
// Ethernet port for each cable of the network; without a configuration that describes anything,
// Ethernet ports alone.
func guessMachine(cfg *config.EdgeDevConfig, n *world.Model) Machine {
	var out Machine
	for _, io := range cfg.GetDeviceIoList() {
		out.add(io)
	}
	cables := 0
	switch {
	case n != nil:
		cables = len(n.Ports)
	case len(cfg.GetDeviceIoList()) == 0:
		cables = defaultPorts
	}
	have := out.ethernets()
	for i := 0; len(have) < cables && i < maxNames; i++ {
		if name := fmt.Sprintf("eth%d", i); !out.has(name) {
			out.Interfaces = append(out.Interfaces, nic.Interface{Name: name, Kind: kindEther})
			have = out.ethernets()
		}
	}
	if numbered(have) {
		slices.SortStableFunc(out.Interfaces, func(a, b nic.Interface) int {
			return ethNumber(a.Name) - ethNumber(b.Name)
		})
	}
	for _, f := range out.Interfaces {
		if f.Kind == kindEther {
			out.ios = append(out.ios, ethernet(f.Name))
		}
	}
	return out
}

// numbered reports whether all are called eth and a number: then the order is that of the numbers,
// whatever the order of the list is.
func numbered(list []*nic.Interface) bool {
	for _, f := range list {
		if ethNumber(f.Name) == maxNames {
			return false
		}
	}
	return true
}

// ethNumber is n of "eth<n>", maxNames of any other name.
func ethNumber(name string) int {
	digits, found := strings.CutPrefix(name, "eth")
	n, err := strconv.ParseUint(digits, 10, 7)
	if !found || err != nil {
		return maxNames
	}
	return int(n)
}

// ethernet is a port that any device may have.
func ethernet(name string) *config.PhysicalIO {
	return &config.PhysicalIO{Ptype: evecommon.PhyIoType_PhyIoNetEth, Phylabel: name,
		Logicallabel: name, Assigngrp: name, Phyaddrs: map[string]string{"Ifname": name},
		Usage: evecommon.PhyIoMemberUsage_PhyIoUsageMgmtAndApps}
}

// add adds what an adapter of a model stands for. What no machine can have, such as a second
// interface of the same name, is left out: the agents see that it is missing.
func (m *Machine) add(io *config.PhysicalIO) {
	pci := where(io, "pcilong")
	if pci != "" && !slices.Contains(m.PCI, pci) && len(m.PCI) < maxNames {
		m.PCI = append(m.PCI, pci)
	}
	kind := ""
	switch io.GetPtype() {
	case evecommon.PhyIoType_PhyIoNetEth, evecommon.PhyIoType_PhyIoNetEthPF:
		kind = kindEther
	case evecommon.PhyIoType_PhyIoNetWLAN:
		kind = kindWLAN
	case evecommon.PhyIoType_PhyIoNetWWAN:
		kind = kindWWAN
	default:
		return
	}
	name := where(io, "ifname")
	for _, other := range []string{io.GetLogicallabel(), io.GetPhylabel()} {
		if name == "" {
			name = other
		}
	}
	if !isIfName(name) || m.has(name) || len(m.Interfaces) == maxNames {
		return
	}
	m.Interfaces = append(m.Interfaces, nic.Interface{Name: name, PCIAddr: pci, Kind: kind})
}

// where is a physical address of an adapter; its key is case-insensitive.
func where(io *config.PhysicalIO, key string) string {
	var out string
	for k, v := range io.GetPhyaddrs() { //order: the largest of equal keys
		if strings.EqualFold(k, key) {
			out = max(out, v)
		}
	}
	return out
}

// isIfName tells whether Linux takes a name for an interface.
func isIfName(s string) bool {
	return s != "" && len(s) <= maxIfName && s != "." && s != ".." && s == oneLine(s) &&
		!strings.ContainsAny(s, "/ :")
}

func (m *Machine) has(name string) bool {
	return slices.ContainsFunc(m.Interfaces, func(f nic.Interface) bool { return f.Name == name })
}

func (m *Machine) ethernets() []*nic.Interface {
	var out []*nic.Interface
	for i := range m.Interfaces {
		if m.Interfaces[i].Kind == kindEther {
			out = append(out, &m.Interfaces[i])
		}
	}
	return out
}

// plug puts the cables of a network into the Ethernet ports, in order; what is left over hangs
// loose.
func (m *Machine) plug(n *world.Model) {
	for i, f := range m.ethernets() {
		if i < len(n.Ports) {
			f.Port = n.Ports[i].Label
		}
	}
}

// size reads "4G", "500M", "1024" (bytes): 0 for anything else.
func size(s string) int64 {
	s = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(s)), "B")
	shift := 0
	if n := len(s); n > 0 {
		if i := strings.IndexByte("KMGT", s[n-1]); i >= 0 {
			s, shift = s[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 20)
	if err != nil || n > 1<<(60-shift) {
		return 0
	}
	return int64(n) << shift
}
