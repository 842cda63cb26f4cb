package nim

import (
	"encoding/pem"
	"slices"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/topics/network"
)

// Keys of port configurations that nim treats by name.
const (
	keyController = "zedagent"
	keyBootstrap  = "bootstrap"
	keyManual     = "manual"
	keyLastResort = "lastresort"
)

// sanitize fills what old or hand-written configurations leave out: labels from the interface name,
// layer 3 on all ports if it is on none, the labels that EVE itself gives, a time of priority.
func sanitize(d network.DevicePortConfig, fromFile bool) network.DevicePortConfig {
	if d.TimePriority.IsZero() {
		year := 1970
		if fromFile {
			year = 1980
		}
		d.TimePriority = time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	d.Ports = slices.Clone(d.Ports)
	anyL3 := slices.ContainsFunc(d.Ports, func(p network.NetworkPortConfig) bool { return p.IsL3Port })
	for i := range d.Ports {
		p := &d.Ports[i]
		if p.Phylabel == "" {
			p.Phylabel = p.IfName
		}
		if p.Logicallabel == "" {
			p.Logicallabel = p.IfName
		}
		p.IsL3Port = p.IsL3Port || !anyL3
		if d.Version == 0 {
			p.IsMgmt = true
		}
		p.SharedLabels = sharedLabels(p)
	}
	return d
}

// sharedLabels are the user's labels and those that EVE gives by use and cost.
func sharedLabels(p *network.NetworkPortConfig) []string {
	labels := []string{"all"}
	if p.IsMgmt {
		labels = append(labels, "uplink")
		if p.Cost == 0 {
			labels = append(labels, "freeuplink")
		}
	}
	for _, l := range p.SharedLabels {
		if l != "all" && l != "uplink" && l != "freeuplink" {
			labels = append(labels, l)
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// mgmtPorts counts the ports that may carry the device's own traffic; with valid only those whose
// configuration makes sense and that this device can serve.
func mgmtPorts(d *network.DevicePortConfig, valid bool) int {
	n := 0
	for i := range d.Ports {
		p := &d.Ports[i]
		if p.IsMgmt && p.Dhcp != network.DhcpNone && !(valid && refusal(p) != "") {
			n++
		}
	}
	return n
}

// usable reports whether verification of the configuration may make sense.
func usable(d *network.DevicePortConfig) bool { return mgmtPorts(d, true) > 0 }

// untested reports whether a usable configuration was never judged.
func untested(d *network.DevicePortConfig) bool { return d.Untested() && usable(d) }

// stripped is a configuration without time and results: what "mostly equal" compares.
func stripped(d network.DevicePortConfig) network.DevicePortConfig {
	d.TimePriority, d.LastIPAndDNS = time.Time{}, time.Time{}
	d.State, d.ShaFile, d.ShaValue = network.DPCNone, "", ""
	d.TestResults = network.TestResults{}
	d.Ports = slices.Clone(d.Ports)
	for i := range d.Ports {
		if p := &d.Ports[i]; !p.InvalidConfig {
			p.TestResults = network.TestResults{}
		} else {
			p.TestResults = network.TestResults{LastError: p.LastError}
		}
	}
	return d
}

// mostlyEqual compares configurations but for their times and test results; the order of ports
// counts.
func mostlyEqual(a, b *network.DevicePortConfig) bool {
	x, y := stripped(*a), stripped(*b)
	return network.DPCs.Of(keyController).Equal(&x, &y)
}

// identity names a configuration within the list.
type identity struct {
	DPCKey       string
	TimePriority time.Time
}

func identify(d *network.DevicePortConfig) identity { return identity{d.DPCKey, d.TimePriority} }

// is compares identities; times as instants.
func (i identity) is(d *network.DevicePortConfig) bool {
	return i.DPCKey == d.DPCKey && i.TimePriority.Equal(d.TimePriority)
}

// text is the identity as a row's key.
func (i identity) text() string {
	return i.DPCKey + "@" + strconv.FormatInt(i.TimePriority.UnixNano(), 10)
}

// trustable reports whether every proxy certificate of the configuration is a PEM certificate.
func trustable(d *network.DevicePortConfig) bool {
	for i := range d.Ports {
		for _, text := range d.Ports[i].ProxyCertPEM {
			if !isCert(text) {
				return false
			}
		}
	}
	return true
}

func isCert(text string) bool {
	block, _ := pem.Decode([]byte(text))
	return block != nil && block.Type == "CERTIFICATE"
}
