package parse

import (
	"slices"
	"strings"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/network"
)

// PortInput is all that a port configuration is made of.
type PortInput struct {
	Adapters []*config.SystemAdapter
	PNACs    []*config.PNAC
	IOs      *Adapters
	Networks map[string]*Network
	Links    *Links
	Key      string         // of the configuration: "zedagent", "bootstrap"
	Source   network.Origin // where it came from
	// Priority is when the configuration was made, At when it is read: the time of its errors.
	Priority, At time.Time
}

// maxPorts bounds a port configuration.
const maxPorts = 128

// Ports makes a port configuration. A port with an error is InvalidConfig and the error is in its
// LastError; when no management port is left, the whole has an error (API-54).
func Ports(in PortInput) network.DevicePortConfig {
	d := network.DevicePortConfig{DPCKey: in.Key, TimePriority: in.Priority}
	// A configuration in which nobody is an uplink is from before there were uplinks: all are.
	for _, a := range in.Adapters {
		if a.GetUplink() {
			d.Version = 1
		}
	}
	var whole wrongs
	for _, e := range in.Links.Errors {
		whole.add(e)
	}
	var ports []*network.NetworkPortConfig
	for i, a := range in.Adapters {
		if i == maxPorts {
			whole.add("more than 128 system adapters; the rest is ignored")
			break
		}
		p, below, wrong := in.port(a, d.Version)
		if wrong != "" {
			whole.add(wrong)
			continue
		}
		ports = append(append(ports, below...), p)
	}
	ports = mergePorts(ports)
	checkLabels(ports)
	checkStacking(ports)
	for _, p := range ports {
		p.ConfigSource = in.Source
		if p.LastError != "" {
			p.InvalidConfig, p.LastFailed = true, in.At
		}
		d.Ports = append(d.Ports, *p)
	}
	if wrong := managementError(d.Ports, whole.String()); wrong != "" {
		whole = append(wrongs{}, wrong)
	}
	if d.LastError = whole.String(); d.LastError != "" {
		d.LastFailed = in.At
	}
	for len(d.Ports) > 0 && weigh(d, MaxRow) > MaxRow {
		d.Ports = d.Ports[:len(d.Ports)/2]
		d.LastError, d.LastFailed = "port configuration: "+tooLarge(MaxRow), in.At
	}
	return d
}

// managementError is the error of a configuration without a usable management port.
func managementError(ports []network.NetworkPortConfig, sofar string) string {
	mgmt := 0
	var errs []string
	for i := range ports {
		if p := &ports[i]; p.IsMgmt {
			if mgmt++; p.LastError == "" {
				return ""
			}
			errs = append(errs, p.LastError)
		}
	}
	text := strings.Join(errs, "\n")
	if text == "" {
		text = sofar
	}
	if text != "" {
		return "All management ports failed to parse: " + clip(text, 2000)
	}
	return "No management interfaces"
}

// fail records an error of a port; the first ones count.
func fail(p *network.NetworkPortConfig, parts ...string) {
	text := strings.Join(parts, "")
	switch {
	case text == "" || strings.Contains(p.LastError, text):
	case p.LastError == "":
		p.LastError = text
	case len(p.LastError) < 1000:
		p.LastError += "\n" + text
	}
}

// sharedLabels are the labels by which a network instance may choose ports, with those that every
// port has by its role, sorted.
func sharedLabels(p *network.NetworkPortConfig, own []string) []string {
	out := []string{"all"}
	if p.IsMgmt {
		out = append(out, "uplink")
		if p.Cost == 0 {
			out = append(out, "freeuplink")
		}
	}
	for i, l := range own {
		if i == 64 {
			fail(p, "more than 64 shared labels")
			break
		}
		switch l {
		case "":
			fail(p, "a shared label is empty")
		case "all", "uplink", "freeuplink":
			fail(p, "shared label ", quote(l), " is reserved")
		default:
			out = append(out, clip(l, 100))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
