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
	// Arch is the architecture, "amd64" or "arm64"; empty where the model does not say.
	Arch string
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

// machineOf is the hardware that a device model in a file describes. Its figures may be missing or
// empty, but not nonsense.
func machineOf(file string, m *readjson.Model) (Machine, error) {
	out := Machine{ios: m.IOs(), Arch: m.Arch}
	for _, io := range out.ios {
		out.add(io)
	}
	for _, a := range m.Attr {
		text, like := strings.TrimSpace(a.Value), ""
		switch strings.ToLower(a.Name) {
		case "memory":
			out.MemoryMB = uint64(size(text) >> 20)
			if out.MemoryMB == 0 {
				like = "a size like 4G"
			}
		case "storage":
			if out.DiskBytes = size(text); out.DiskBytes == 0 {
				like = "a size like 32G"
			}
		case "cpus":
			n, _ := strconv.ParseUint(text, 10, 16)
			if out.CPUs = uint32(n); n == 0 {
				like = "a number from 1 to 65535"
			}
		}
		if like != "" && text != "" {
			return out, refuse("%s: attr.%s: %q is not %s", file, a.Name, short(text), like)
		}
	}
	return out, nil
}

// short is the beginning of a text.
func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
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

// size reads "4G", "7.5 GB", "512MiB", "1024" (bytes): 0 for anything else, and for more than an
// exbibyte.
func size(s string) int64 {
	s = strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "B"), "I")
	unit := 1.0
	if n := len(s); n > 0 {
		if i := strings.IndexByte("KMGT", s[n-1]); i >= 0 {
			s, unit = s[:n-1], float64(int64(1)<<(10*(i+1)))
		}
	}
	s = strings.TrimSpace(s)
	if strings.Trim(s, "0123456789.") != "" {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n*unit > 1<<60 {
		return 0
	}
	return int64(n * unit)
}
