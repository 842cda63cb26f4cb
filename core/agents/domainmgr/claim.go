package domainmgr

import (
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// claim takes the adapters that a guest is to have, all or none, and reports whether they are ready
// for it: bound away from the host where they are on PCI. What is in the way is noted in the
// status.
func (s *sheet) claim(st *domain.DomainStatus, c *domain.DomainConfig) (list []hyper.Assigned,
	ready bool) {
	if len(c.IoAdapterList) == 0 {
		return nil, true
	}
	k := s.adapters
	if !k.known {
		return nil, false
	}
	var wanted []int
	for _, a := range c.IoAdapterList {
		i := k.find(a.Name)
		if i < 0 {
			s.refuse(st, entity.ErrorDescription{Error: "unknown adapter " + a.Name})
			return nil, false
		}
		for _, j := range k.group(i) {
			if !slices.Contains(wanted, j) {
				wanted = append(wanted, j)
			}
		}
	}
	slices.Sort(wanted)
	for _, i := range wanted {
		if wrong := s.refusal(k, i, st.UUID); wrong.Error != "" {
			s.refuse(st, wrong)
			return nil, false
		}
	}
	ready = true
	for _, i := range wanted {
		b := &k.list[i]
		b.UsedByUUID = st.UUID
		list = append(list, hyper.Assigned{Phylabel: b.Phylabel, PciLong: b.PciLong,
			Serial: b.Serial, UsbAddr: b.UsbAddr})
		if b.PciLong == "" || b.IsPCIBack {
			continue
		}
		ready = false
		if call := s.m.bind.Get(b.PciLong); call.Phase == agent.Failed {
			s.refuse(st, entity.ErrorDescription{Error: "bind adapter " + b.Phylabel + ": " +
				call.Fault.Text})
			return nil, false
		}
	}
	if st.AdaptersFailed {
		st.AdaptersFailed, st.ErrorDescription = false, entity.ErrorDescription{}
	}
	return list, ready
}

func (s *sheet) refuse(st *domain.DomainStatus, wrong entity.ErrorDescription) {
	st.AdaptersFailed = true
	st.ErrorDescription.Set(wrong, s.t.Wall)
}

// refusal is why an application cannot have an adapter, empty if it can.
func (s *sheet) refusal(k *stock, i int, app string) (out entity.ErrorDescription) {
	b := &k.list[i]
	name := "adapter " + b.Phylabel
	switch {
	case b.AssignmentGroup == "" && len(k.group(i)) == 1:
		out.Error = name + " is not assignable: it has no assignment group"
	case b.UsedByUUID == app:
	case b.UsedByUUID != "":
		out.Error = name + " is used by application " + b.UsedByUUID
		out.ErrorRetryCondition = "Will wait for adapter to release from app " + b.UsedByUUID
	case b.IsPort:
		out.Error = name + " is (part of) a port that the host uses"
	case len(k.notes[i].errors) > 0:
		out.Error = name + " has an error: " + k.notes[i].errors[0]
	case b.PciLong != "" && !s.m.passesThrough():
		out.Error = name + " cannot be passed through: no I/O virtualization"
	}
	return out
}
