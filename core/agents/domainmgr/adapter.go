package domainmgr

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// stock is the adapters of the device as this turn finds them.
type stock struct {
	known bool // the device model has come
	list  []network.IoBundle
	// notes are what is wrong with each of the list.
	notes []notes
}

// adaptersMoved reports whether something about adapters may have changed.
func (s *sheet) adaptersMoved(w *agent.Work) bool {
	m := s.m
	if s.t.Full || m.model.Moved() || m.dns.Moved() || m.links.Moved() || m.pci.Moved() ||
		m.settings.Moved() || m.machine.Moved() || len(m.bind.Ended()) > 0 {
		return true
	}
	for _, id := range w.All() {
		c, d := m.configs.Get(id), s.seen[id]
		if c != nil && len(c.IoAdapterList) > 0 || d != nil && len(d.Adapters) > 0 ||
			strings.HasPrefix(id, bindKey) || m.hasAdapters(id) {
			return true
		}
	}
	return false
}

// hasAdapters reports whether an application has an adapter, as last published.
func (m *domainmgr) hasAdapters(id string) bool {
	aa := m.adapters.Get(entity.Global)
	return aa != nil && slices.ContainsFunc(aa.IoBundleList, func(b network.IoBundle) bool {
		return b.UsedByUUID == id
	})
}

// stock makes the list of adapters from the device model, with those who have them.
func (s *sheet) stock() *stock {
	model := s.m.model.Get(network.PhysicalIOAdapterList{}.Key())
	if model == nil || !model.Initialized {
		return &stock{}
	}
	k := &stock{known: true}
	for i := range model.AdapterList {
		k.list = append(k.list, s.bundle(&model.AdapterList[i]))
	}
	slices.SortStableFunc(k.list, func(a, b network.IoBundle) int {
		return cmp.Compare(a.Phylabel, b.Phylabel)
	})
	k.list = slices.CompactFunc(k.list, func(a, b network.IoBundle) bool {
		return a.Phylabel == b.Phylabel
	})
	k.notes = make([]notes, len(k.list))
	k.checkModel()
	s.findPorts(k)
	s.findHolders(k)
	return k
}

// bundle is one adapter as the model has it.
func (s *sheet) bundle(a *network.PhysicalIOAdapter) network.IoBundle {
	out := network.IoBundle{Type: a.Ptype, Phylabel: a.Phylabel, Logicallabel: a.Logicallabel,
		AssignmentGroup: a.Assigngrp, ParentAssignmentGroup: a.Parentassigngrp, Usage: a.Usage,
		Ifname: a.Phyaddr.Ifname, PciLong: a.Phyaddr.PciLong, UsbAddr: a.Phyaddr.UsbAddr,
		UsbProduct: a.Phyaddr.UsbProduct, Serial: a.Phyaddr.Serial, Irq: a.Phyaddr.Irq,
		Ioports: a.Phyaddr.Ioports, Cbattr: a.Cbattr}
	if out.Type.IsNet() && out.Ifname == "" {
		out.Ifname = cmp.Or(a.Logicallabel, a.Phylabel)
	}
	if l := s.m.links.Get(out.Ifname); l != nil && out.Ifname != "" {
		out.MacAddr = l.MAC
	}
	if p := s.m.pci.Get(out.PciLong); p != nil && out.PciLong != "" {
		out.IsPCIBack = p.Bound
	}
	return out
}

// findPorts notes which adapters the host uses itself; their whole group stays with it.
func (s *sheet) findPorts(k *stock) {
	dns := s.m.dns.Get(entity.Global)
	settings := s.m.settings.Get(entity.Global)
	usb, vga := settings.Bool(config.UsbAccess), settings.Bool(config.VgaAccess)
	for i := range k.list {
		b := &k.list[i]
		switch b.Type {
		case network.IoNetWLAN, network.IoNetWWAN, network.IoNetEthPF, network.IoCAN, network.IoVCAN:
			b.KeepInHost = true
		case network.IoUSB, network.IoUSBController, network.IoUSBDevice:
			b.KeepInHost = usb
		case network.IoHDMI:
			b.KeepInHost = vga
		}
		if dns == nil {
			continue
		}
		for j := range dns.Ports {
			if p := &dns.Ports[j]; p.Phylabel == b.Phylabel && p.Phylabel != "" ||
				p.IfName == b.Ifname && p.IfName != "" {
				b.Cost = p.Cost
				for _, o := range k.group(i) {
					k.list[o].IsPort, k.list[o].KeepInHost = true, true
				}
			}
		}
	}
}

// group lists the adapters that go together with one: those of its assignment group, and all that
// sits on the PCI controller of one of these.
func (k *stock) group(i int) []int {
	b := &k.list[i]
	var out []int
	for j := range k.list {
		o := &k.list[j]
		if j == i || o.AssignmentGroup == b.AssignmentGroup && b.AssignmentGroup != "" {
			out = append(out, j)
		}
	}
	for j := range k.list {
		if !slices.Contains(out, j) && slices.ContainsFunc(out, func(x int) bool {
			return sameController(&k.list[j], &k.list[x])
		}) {
			out = append(out, j)
		}
	}
	slices.Sort(out)
	return out
}

// controller is the PCI address without the function; empty for what is addressed by USB.
func controller(b *network.IoBundle) string {
	if b.UsbAddr != "" || b.UsbProduct != "" {
		return ""
	}
	at, _, _ := strings.Cut(b.PciLong, ".")
	return at
}

func sameController(a, b *network.IoBundle) bool {
	c := controller(a)
	return c != "" && c == controller(b)
}

// find is the adapter that an application names: by physical or logical label, or by group; -1 if
// there is none.
func (k *stock) find(name string) int {
	for _, of := range [...]func(*network.IoBundle) string{
		func(b *network.IoBundle) string { return b.Phylabel },
		func(b *network.IoBundle) string { return b.Logicallabel },
		func(b *network.IoBundle) string { return b.AssignmentGroup },
	} {
		is := func(b network.IoBundle) bool { return of(&b) == name }
		if i := slices.IndexFunc(k.list, is); i >= 0 {
			return i
		}
	}
	return -1
}

// findHolders notes who has which adapters: what a guest was made with is its own as long as the
// guest is there, and what was claimed for a guest stays claimed while the guest is wished.
func (s *sheet) findHolders(k *stock) {
	for _, d := range s.m.domains.All() {
		for _, a := range d.Adapters {
			for i := range k.list {
				if k.list[i].Phylabel == a.Phylabel {
					k.list[i].UsedByUUID = d.AppID
				}
			}
		}
	}
	old := s.m.adapters.Get(entity.Global)
	if old == nil {
		return
	}
	for i := range old.IoBundleList {
		b := &old.IoBundleList[i]
		j := k.find(b.Phylabel)
		if b.UsedByUUID != "" && j >= 0 && k.list[j].UsedByUUID == "" && s.keeps(k, b.UsedByUUID, j) {
			k.list[j].UsedByUUID = b.UsedByUUID
		}
	}
}

// keeps reports whether an application still wants an adapter that was claimed for it.
func (s *sheet) keeps(k *stock, id string, adapter int) bool {
	c := s.m.configs.Get(id)
	if c == nil {
		return !s.m.configs.Gone(id)
	}
	if underWay(s.m.create.Get(id).Phase) {
		return true // it may be made with it yet
	}
	if !c.Activate {
		return false
	}
	for _, a := range c.IoAdapterList {
		if i := k.find(a.Name); i >= 0 && slices.Contains(k.group(i), adapter) {
			return true
		}
	}
	return false
}

// tellAdapters publishes the adapters and has them bound to where they belong.
func (s *sheet) tellAdapters() {
	k := s.adapters
	if !k.known {
		return
	}
	out := network.AssignableAdapters{Initialized: true, IoBundleList: k.list}
	old := s.m.adapters.Get(entity.Global)
	for i := range k.list {
		b := &k.list[i]
		if old != nil {
			j, ok := slices.BinarySearchFunc(old.IoBundleList, b.Phylabel,
				func(o network.IoBundle, label string) int { return cmp.Compare(o.Phylabel, label) })
			if ok {
				b.ErrorDescription = old.IoBundleList[j].ErrorDescription
			}
		}
		b.ErrorDescription.Set(k.notes[i].described(), s.t.Wall)
	}
	s.bindAll(k)
	s.m.adapters.Put(out)
	s.m.adapters.Complete()
}

// bindAll binds the adapters that applications have away from the host, and gives back the others.
func (s *sheet) bindAll(k *stock) {
	want := map[string]bool{} // by address: whether it is for a guest
	for i := range k.list {
		if b := &k.list[i]; b.PciLong != "" {
			want[b.PciLong] = want[b.PciLong] || b.UsedByUUID != ""
		}
	}
	for i := range k.list {
		p := k.list[i].PciLong
		if p == "" {
			continue
		}
		seen := s.m.pci.Get(p)
		if bound := seen != nil && seen.Bound; bound == want[p] {
			s.m.bind.Drop(p)
			continue
		}
		c := s.m.bind.Want(p, hyper.BindReq{PciLong: p, Bound: want[p]})
		if !c.Over() || c.Phase == agent.Failed && !passing(c.Fault) {
			continue
		}
		if again := c.Ended + reapPause; s.t.Now < again {
			s.t.WakeAt(bindKey+p, again)
		} else {
			s.m.bind.Redo(p)
		}
	}
	s.m.bind.Keep(func(p string) bool { _, ok := want[p]; return ok })
}

// passing reports whether a fault may go away without anybody doing something.
func passing(f *agent.Fault) bool {
	return f.Retry || f.Code == agent.FaultLimit || f.Code == agent.FaultCancelled
}
