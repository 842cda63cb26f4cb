package parse

import (
	"slices"
	"strings"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/network"
)

// maxAdapters bounds the device model.
const maxAdapters = 256

// DeviceIO reads the device model. What is wrong with an adapter is in the texts: the row of
// adapters has no place for it, and an adapter of an unknown type is left out.
func DeviceIO(list []*config.PhysicalIO) (network.PhysicalIOAdapterList, []string) {
	out := network.PhysicalIOAdapterList{Initialized: true}
	var errs wrongs
	for i, io := range list {
		if len(out.AdapterList) == maxAdapters {
			errs.add("the device model has more than 256 adapters; the rest is ignored")
			break
		}
		a, wrong := adapter(io)
		if wrong != "" {
			errs.add("device model: adapter ", number(i), " (", quote(a.Phylabel), "): ", wrong)
		}
		if a.Phylabel == "" || !knownIoType(int32(io.GetPtype())) {
			continue
		}
		if slices.ContainsFunc(out.AdapterList, func(o network.PhysicalIOAdapter) bool {
			return o.Phylabel == a.Phylabel
		}) {
			errs.add("device model: adapter ", number(i), " (", quote(a.Phylabel),
				"): there is another one of this physical label; the first counts")
			continue
		}
		if weigh(a, 2<<10) > 2<<10 {
			errs.add("device model: adapter ", quote(a.Phylabel), ": ", tooLarge(2<<10))
			continue
		}
		out.AdapterList = append(out.AdapterList, a)
	}
	for weigh(out, MaxRow) > MaxRow {
		out.AdapterList = out.AdapterList[:len(out.AdapterList)/2]
		errs.add("device model: ", tooLarge(MaxRow))
	}
	return out, errs
}

// adapter reads one adapter; an empty logical label becomes the physical one.
func adapter(io *config.PhysicalIO) (network.PhysicalIOAdapter, string) {
	a := network.PhysicalIOAdapter{
		Phylabel: io.GetPhylabel(), Logicallabel: io.GetLogicallabel(), Assigngrp: io.GetAssigngrp(),
		Parentassigngrp: io.GetParentassigngrp(), FreeUplink: io.GetUsagePolicy().GetFreeUplink(),
	}
	if a.Logicallabel == "" {
		a.Logicallabel = a.Phylabel
	}
	if a.Phylabel == "" {
		a.Phylabel = a.Logicallabel
	}
	if t := int32(io.GetPtype()); !knownIoType(t) {
		return a, "type " + number(int(t)) + " is unknown"
	}
	a.Ptype = network.IoType(io.GetPtype())
	for _, key := range sortedKeys(io.GetPhyaddrs()) {
		address(&a.Phyaddr, key, io.GetPhyaddrs()[key])
	}
	for _, key := range sortedKeys(io.GetCbattr()) {
		a.Cbattr = append(a.Cbattr, key+"="+io.GetCbattr()[key])
	}
	u := io.GetUsage()
	if u < 0 || u > evecommon.PhyIoMemberUsage_PhyIoUsageMgmtOnly {
		return a, "usage " + number(int(u)) + " is unknown"
	}
	a.Usage = uint8(u)
	if a.Phylabel == "" {
		return a, "it has neither a physical nor a logical label"
	}
	for _, vf := range io.GetVflist().GetData() {
		if vf.GetVlanId() > maxVLAN {
			return a, "virtual function with VLAN " + number(int(vf.GetVlanId())) + ", want at most 4094"
		}
	}
	return a, ""
}

// address stores one physical address; its key is case-insensitive.
func address(p *network.PhysicalAddress, key, value string) {
	switch strings.ToLower(key) {
	case "pcilong":
		p.PciLong = value
	case "ifname":
		p.Ifname = value
	case "serial":
		p.Serial = value
	case "irq":
		p.Irq = value
	case "ioports":
		p.Ioports = value
	case "usbaddr":
		p.UsbAddr = value
	case "usbproduct":
		p.UsbProduct = value
	default:
		p.UnknownTypes = append(p.UnknownTypes, key)
	}
}

func knownIoType(t int32) bool {
	if t == 8 { // the number was never given
		return false
	}
	return t >= 0 && t <= int32(network.IoLCAN) || t == int32(network.IoOther)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m { //order: sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Adapters finds adapters of the device model by logical label; of several the last counts.
type Adapters struct {
	byLabel map[string]*network.PhysicalIOAdapter
	// FreeUplink is true if any adapter says that it is free, as only old controllers do; then cost 0
	// must be stated that way.
	FreeUplink bool
}

// NewAdapters indexes a device model.
func NewAdapters(list network.PhysicalIOAdapterList) *Adapters {
	out := &Adapters{byLabel: make(map[string]*network.PhysicalIOAdapter, len(list.AdapterList))}
	for i := range list.AdapterList {
		a := &list.AdapterList[i]
		out.byLabel[a.Logicallabel] = a
		out.FreeUplink = out.FreeUplink || a.FreeUplink
	}
	return out
}

// Get is the adapter of a label, nil if there is none.
func (a *Adapters) Get(label string) *network.PhysicalIOAdapter { return a.byLabel[label] }
