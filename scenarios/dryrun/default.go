package dryrun

import (
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"
)

// defaultNetwork is the UUID of the default configuration's network.
const defaultNetwork = "0e5ec5d1-5be4-4f6b-8f0d-3d5a6c1c9d10"

// defaultPorts is how many ports the default configuration uses.
const defaultPorts = 2

// defaultConfig is the configuration where there is none: the first two Ethernet ports with DHCP,
// for management; no applications. A machine without Ethernet gets its first other ports, for which
// a device shows why they cannot be used.
func defaultConfig(ios []*config.PhysicalIO) *config.EdgeDevConfig {
	cfg := &config.EdgeDevConfig{DeviceIoList: ios,
		Networks: []*config.NetworkConfig{{Id: defaultNetwork, Type: evecommon.NetworkType_V4,
			Ip: &evecommon.Ipspec{Dhcp: evecommon.DHCPType_Client}}}}
	add := func(wanted func(t evecommon.PhyIoType) bool) {
		for _, io := range ios {
			if len(cfg.SystemAdapterList) < defaultPorts && wanted(io.GetPtype()) {
				label := io.GetLogicallabel()
				if label == "" {
					label = io.GetPhylabel()
				}
				cfg.SystemAdapterList = append(cfg.SystemAdapterList, &config.SystemAdapter{
					Name: label, LowerLayerName: label, Uplink: true, NetworkUUID: defaultNetwork})
			}
		}
	}
	add(func(t evecommon.PhyIoType) bool {
		return t == evecommon.PhyIoType_PhyIoNetEth || t == evecommon.PhyIoType_PhyIoNetEthPF
	})
	if len(cfg.SystemAdapterList) == 0 {
		add(func(t evecommon.PhyIoType) bool {
			return t == evecommon.PhyIoType_PhyIoNetWLAN || t == evecommon.PhyIoType_PhyIoNetWWAN
		})
	}
	return cfg
}
