package nim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/network"
)

// maxPortFile bounds a file of /config/DevicePortConfig, as in EVE.
const maxPortFile = 16 << 10

func tooLarge(size int64) error {
	return fmt.Errorf("the file has %d bytes, more than %d", size, maxPortFile)
}

// parsePortFile reads a port configuration as an installer puts it below /config: EVE's
// DevicePortConfig in JSON. base is the file's name without ".json", the key if the file names
// none. The error names field and reason.
func parsePortFile(data []byte, base string) (network.DevicePortConfig, error) {
	var d network.DevicePortConfig
	if len(data) > maxPortFile {
		return d, tooLarge(int64(len(data)))
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, new(json.RawMessage)); errors.As(err, &syntax) {
		return d, fmt.Errorf("the file is not JSON: %w at byte %d", err, syntax.Offset)
	}
	var err error
	o := readObject("", data, &err)
	d.Version = uint8(o.number("Version", 8))
	if d.DPCKey = o.text("Key"); d.DPCKey == "" {
		d.DPCKey = base
	}
	d.TimePriority = o.instant("TimePriority")
	for _, p := range o.children("Ports") {
		d.Ports = append(d.Ports, readPort(p))
	}
	if err != nil {
		return d, err
	}
	if reason := badKey(d.DPCKey); reason != "" {
		return d, fmt.Errorf("Key: %s", reason)
	}
	if len(d.Ports) == 0 {
		return d, errors.New("there is no port in Ports")
	}
	d = sanitize(d, true)
	for i := range d.Ports {
		check(&d, i)
	}
	return d, nil
}

// badKey refuses keys that mean another source, or that cannot be a row's key.
func badKey(key string) string {
	switch {
	case key == keyController || key == keyBootstrap || key == keyManual || key == keyLastResort:
		return fmt.Sprintf("%q is kept for another source", key)
	case strings.ContainsAny(key, "/") || len(key) > 100:
		return fmt.Sprintf("%.40q cannot be a key", key)
	}
	return ""
}

func readPort(o object) network.NetworkPortConfig {
	return network.NetworkPortConfig{
		IfName: o.text("IfName"), USBAddr: o.text("USBAddr"), PCIAddr: o.text("PCIAddr"),
		Phylabel: o.text("Phylabel"), Logicallabel: o.text("Logicallabel"),
		SharedLabels: o.texts("SharedLabels"), Alias: o.text("Alias"),
		NetworkUUID: o.text("NetworkUUID"), IsMgmt: o.flag("IsMgmt"), IsL3Port: o.flag("IsL3Port"),
		Cost: uint8(o.number("Cost", 8)), MTU: uint16(o.number("MTU", 16)),
		DhcpConfig: network.DhcpConfig{
			Dhcp: network.DhcpType(o.number("Dhcp", 8)), AddrSubnet: o.text("AddrSubnet"),
			Gateway: o.addr("Gateway"), DomainName: o.text("DomainName"),
			NTPServers: readNTP(o), DNSServers: o.addrs("DNSServers"),
			Type: network.NetworkType(o.number("Type", 8)),
		},
		IgnoreDhcpNtpServers:  o.flag("IgnoreDhcpNtpServers"),
		IgnoreDhcpIPAddresses: o.flag("IgnoreDhcpIPAddresses"),
		IgnoreDhcpGateways:    o.flag("IgnoreDhcpGateways"),
		IgnoreDhcpDNSConfig:   o.flag("IgnoreDhcpDNSConfig"),
		ProxyConfig:           readProxy(o),
		L2LinkConfig:          readL2(o),
		WirelessCfg:           network.WirelessType(o.child("WirelessCfg").number("WType", 8)),
		PNACEnabled:           o.child("PNAC").flag("Enabled"),
		ConfigSource:          network.OriginOverride,
	}
}

// readNTP reads the servers; files of older versions name one as NtpServer.
func readNTP(o object) []string {
	list := o.texts("NTPServers")
	if old := o.text("NtpServer"); old != "" {
		list = append(list, old)
	}
	return list
}

func readProxy(o object) network.ProxyConfig {
	c := network.ProxyConfig{
		Exceptions: o.text("Exceptions"), Pacfile: o.text("Pacfile"),
		NetworkProxyEnable: o.flag("NetworkProxyEnable"),
		NetworkProxyURL:    o.text("NetworkProxyURL"), WpadURL: o.text("WpadURL"),
	}
	for _, p := range o.children("Proxies") {
		c.Proxies = append(c.Proxies, network.ProxyEntry{
			Type: network.ProxyType(p.number("Type", 8)), Server: p.text("Server"),
			Port: uint32(p.number("Port", 32))})
	}
	const name = "pubsub-large-ProxyCertPEM"
	certs := o.texts(name)
	if certs == nil {
		certs = o.texts("ProxyCertPEM")
	}
	for i, text := range certs {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			text = string(raw)
		}
		if !isCert(text) {
			o.fail(fmt.Sprintf("%s[%d]", name, i), "is not a certificate in PEM, in base64")
		}
		c.ProxyCertPEM = append(c.ProxyCertPEM, text)
	}
	return c
}

func readL2(o object) network.L2LinkConfig {
	vlan, bond := o.child("VLAN"), o.child("Bond")
	return network.L2LinkConfig{
		L2Type: network.L2Type(o.number("L2Type", 8)),
		VLAN: network.VLANConfig{ParentPort: vlan.text("ParentPort"),
			ID: uint16(vlan.number("ID", 16))},
		Bond: network.BondConfig{AggregatedPorts: bond.texts("AggregatedPorts"),
			Mode: uint8(bond.number("Mode", 8)), LacpRate: uint8(bond.number("LacpRate", 8))},
	}
}

// check marks port i as invalid if its configuration makes no sense, with the reason.
func check(d *network.DevicePortConfig, i int) {
	p := &d.Ports[i]
	if reason := nonsense(d, i); reason != "" {
		p.InvalidConfig = true
		p.LastError = fmt.Sprintf("port %s: %s", p.Logicallabel, reason)
	}
}

func nonsense(d *network.DevicePortConfig, i int) string {
	p := &d.Ports[i]
	for k := range i {
		if d.Ports[k].Logicallabel == p.Logicallabel || p.IfName != "" && d.Ports[k].IfName == p.IfName {
			return "its label or interface is used by another port"
		}
	}
	switch {
	case p.MTU != 0 && p.MTU < 1280:
		return fmt.Sprintf("MTU %d is below 1280", p.MTU)
	case p.IsMgmt && p.Dhcp != network.DhcpStatic && p.Dhcp != network.DhcpClient && p.IsL3Port:
		return fmt.Sprintf("a management port cannot have Dhcp %d", p.Dhcp)
	case p.Dhcp == network.DhcpStatic:
		if _, err := netip.ParsePrefix(p.AddrSubnet); err != nil {
			return fmt.Sprintf("AddrSubnet %q is not an address with a subnet", p.AddrSubnet)
		}
	}
	if p.L2Type == network.L2VLAN {
		parent := slices.ContainsFunc(d.Ports, func(o network.NetworkPortConfig) bool {
			return o.Logicallabel == p.VLAN.ParentPort
		})
		if !parent || p.VLAN.ID < 1 || p.VLAN.ID > 4094 {
			return fmt.Sprintf("VLAN %d on port %q cannot be", p.VLAN.ID, p.VLAN.ParentPort)
		}
	}
	return ""
}
