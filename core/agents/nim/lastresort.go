package nim

import (
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/topics/network"
)

// takeLastResort keeps the configuration of last resort: where it is allowed, or where there is
// nothing else. It is made anew when an interface appears or goes to an application, not when one
// vanishes.
func (s *sheet) takeLastResort() {
	if s.reading { // what is in a file comes first, and saves starting clients in vain
		return
	}
	have := slices.IndexFunc(s.list, func(d network.DevicePortConfig) bool {
		return d.DPCKey == keyLastResort
	})
	if have < 0 && !s.set.lastResort && !(len(s.list) == 0 && s.nothingElse()) {
		return
	}
	made := s.makeLastResort()
	if len(made.Ports) == 0 || have >= 0 && s.covers(&s.list[have], &made) {
		return
	}
	s.add(made)
}

// nothingElse reports whether no other configuration is to be expected: there is no source of one,
// or it was waited for long enough.
func (s *sheet) nothingElse() bool {
	if s.source() == sourceNone || s.t.Now >= dpcAvailLimit {
		return true
	}
	s.t.WakeAt("start", dpcAvailLimit)
	return false
}

// covers reports whether a configuration of last resort needs no change.
func (s *sheet) covers(old, made *network.DevicePortConfig) bool {
	for _, p := range made.Ports {
		if !slices.ContainsFunc(old.Ports, func(o network.NetworkPortConfig) bool {
			return o.IfName == p.IfName
		}) {
			return false
		}
	}
	_, given := s.taken(old)
	return given == ""
}

// makeLastResort is DHCP on every Ethernet interface that is not an application's.
func (s *sheet) makeLastResort() network.DevicePortConfig {
	d := network.DevicePortConfig{DPCKey: keyLastResort, Version: 1,
		TimePriority: time.Unix(0, 0).UTC()}
	for _, l := range s.n.links.All() {
		if !s.eligible(l) {
			continue
		}
		d.Ports = append(d.Ports, network.NetworkPortConfig{
			IfName: l.IfName, Phylabel: l.IfName, Logicallabel: l.IfName, IsMgmt: true, IsL3Port: true,
			DhcpConfig:   network.DhcpConfig{Dhcp: network.DhcpClient, Type: network.NetworkV4},
			ConfigSource: network.OriginLastResort,
		})
	}
	return sanitize(d, false)
}

// eligible reports whether an interface takes part in the last resort.
func (s *sheet) eligible(l *nic.LinkSeen) bool {
	if !l.Physical || l.Kind != "ether" {
		return false
	}
	for _, prefix := range []string{"vif", "nbu", "nbo", "wlan", "wwan", "keth", "can", "vcan"} {
		if strings.HasPrefix(l.IfName, prefix) {
			return false
		}
	}
	_, app := s.bound(l.IfName)
	return app == ""
}
