package hyper

import (
	"context"
	"fmt"
	"os"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/linux/hyper/sysbus"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// bus is the machine's buses.
func (b *boot) bus() sysbus.Bus {
	driver := sysbus.VFIO
	if b.o.Type == domxml.Xen {
		driver = sysbus.Pciback
	}
	return sysbus.Bus{Sys: b.o.Sys, Driver: driver}
}

// lookAdapters shows all PCI adapters, on the loop: sysfs does not block.
func (b *boot) lookAdapters() {
	bus := b.bus()
	all, err := bus.Adapters()
	if err != nil {
		b.o.OnError(err)
	}
	for _, at := range all {
		b.showAdapter(device.AdapterSeen{PciLong: at, Bound: bus.Bound(at)})
	}
}

func (b *boot) showAdapter(row device.AdapterSeen) {
	if old := b.adapters.Get(row.PciLong); old == nil || *old != row {
		b.adapters.Put(row)
	}
}

// bind moves an adapter between the host and guests.
func (b *boot) bind(c host.Run[device.BindReq, device.None]) {
	q, bus := *c.Req(), b.bus()
	there := b.adapters.Get(q.PciLong) != nil
	switch {
	case q.Bound && !b.host.IOVirtualization:
		c.Fail(device.FaultNoIOMMU, "assign "+q.PciLong+": no I/O virtualization", false)
		return
	case q.Bound && !there:
		c.Fail(device.FaultMissing, "assign "+q.PciLong+": there is no such adapter", true)
		return
	case !there:
		c.Done(device.None{})
		return
	}
	c.Go(func(context.Context) (device.None, *agent.Fault) {
		if bus.Bound(q.PciLong) == q.Bound {
			return device.None{}, nil
		}
		if q.Bound {
			return device.None{}, fault(bus.Bind(q.PciLong))
		}
		return device.None{}, fault(bus.Release(q.PciLong))
	}, func(n device.None, f *agent.Fault) {
		b.showAdapter(device.AdapterSeen{PciLong: q.PciLong, Bound: bus.Bound(q.PciLong)})
		c.Finish(n, f)
	})
}

// assign puts what is passed through into a description. A device on USB is looked for at each
// start, because its number changes when it is plugged in.
func (b *boot) assign(d *qemu.Spec, adapters []device.Assigned) error {
	for _, a := range adapters {
		switch {
		case a.PciLong != "":
			d.PCI = append(d.PCI, a.PciLong)
		case a.UsbAddr != "":
			n, number, err := b.bus().USB(a.UsbAddr)
			if os.IsNotExist(err) {
				return refuse(device.FaultMissing, true, "adapter %s: nothing is plugged in at USB %s",
					a.Phylabel, a.UsbAddr)
			}
			if err != nil {
				return fmt.Errorf("adapter %s: %w", a.Phylabel, err)
			}
			d.USB = append(d.USB, qemu.USBDevice{Bus: n, Device: number})
		case a.Serial != "":
			d.Ports = append(d.Ports, a.Serial)
		}
	}
	return nil
}
