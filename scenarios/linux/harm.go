package linux

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

var _ scenario.Real = (*machine)(nil)

// Processes are the hub and the agents.
func (m *machine) Processes() []string { return append([]string{zedbox.Hub}, m.Agents()...) }

// process finds a process of the device.
func (m *machine) process(name string) (zedbox.Process, error) {
	s, err := zedbox.ReadStatus(m.device.root)
	if err != nil {
		return zedbox.Process{}, err
	}
	for _, p := range append(s.Agents, s.Hub) {
		if p.Name == name {
			return p, nil
		}
	}
	return zedbox.Process{}, fmt.Errorf("the device has no process %s", name)
}

// Restarts is how often a process was started again; ok is false while it does not run.
func (m *machine) Restarts(name string) (n int, ok bool) {
	p, err := m.process(name)
	return p.Restarts, err == nil && p.State == zedbox.Running
}

// Kill ends a process with SIGKILL.
func (m *machine) Kill(name string) error {
	p, err := m.process(name)
	if err == nil && p.PID == 0 {
		err = errors.New("it does not run")
	}
	if err == nil {
		err = unix.Kill(p.PID, unix.SIGKILL)
	}
	if err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	return nil
}

// Crash kills the process of an agent.
func (m *machine) Crash(agent string) {
	if err := m.Kill(agent); err != nil {
		scenario.Stop("%v", err)
	}
}

// tables are those of nftables that the device makes: family and name.
func tables() [][2]string { return [][2]string{{"bridge", "evetwin"}, {"inet", "evetwin"}} }

// bridge is the bridge of the first network instance.
const bridge = "bn1"

// Break breaks a thing of the device.
func (m *machine) Break(thing string) error {
	switch thing {
	case scenario.Rules:
		for _, t := range tables() {
			if _, err := m.nft("delete", "table", t[0], t[1]); err != nil {
				return err
			}
		}
		return nil
	case scenario.Bridge:
		return m.link(func(h *netlink.Handle) error {
			l, err := h.LinkByName(bridge)
			if err != nil {
				return err
			}
			return h.LinkDel(l)
		})
	case scenario.Resolving:
		return os.Remove(m.resolvConf())
	}
	list := m.device.of(thing)
	if len(list) == 0 {
		return fmt.Errorf("kill %s: the device runs none", thing)
	}
	m.killed = list[0].pid
	return unix.Kill(m.killed, unix.SIGKILL)
}

// Mended reports whether a thing that was broken is as before.
func (m *machine) Mended(thing string) bool {
	switch thing {
	case scenario.Rules:
		for _, t := range tables() {
			out, err := m.nft("list", "table", t[0], t[1])
			if err != nil || !strings.Contains(out, "chain") {
				return false
			}
		}
		return true
	case scenario.Bridge:
		return m.link(m.bridged) == nil
	case scenario.Resolving:
		_, err := os.Stat(m.resolvConf())
		return err == nil
	}
	list := m.device.of(thing)
	return len(list) == 1 && list[0].pid != m.killed
}

// bridged says why the bridge is not up with the guest's interface at it.
func (m *machine) bridged(h *netlink.Handle) error {
	b, err := h.LinkByName(bridge)
	if err != nil {
		return err
	}
	all, err := h.LinkList()
	if err != nil {
		return err
	}
	for _, l := range all {
		if l.Type() == "tuntap" && l.Attrs().MasterIndex == b.Attrs().Index {
			return nil
		}
	}
	return errors.New("no guest is at the bridge")
}

func (m *machine) resolvConf() string { return filepath.Join(m.device.root.Run(), "resolv.conf") }

// nft runs nft in the device's namespace.
func (m *machine) nft(args ...string) (string, error) {
	var out strings.Builder
	p, err := child.Start(child.Options{Name: "nft", Path: "ip", Stdout: &out,
		Args: append([]string{"netns", "exec", m.street.device, "nft"}, args...)})
	if err != nil {
		return "", err
	}
	<-p.Done()
	return out.String(), p.Err()
}

// link does f with the links of the device.
func (m *machine) link(f func(h *netlink.Handle) error) error {
	h, err := netspace.Handle(m.street.device)
	if err != nil {
		return err
	}
	defer h.Close()
	return f(h)
}
