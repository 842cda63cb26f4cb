package dryrun

import (
	"fmt"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi/parse"
)

// Limits of lists that no device goes through; parse.MaxObjects is that of objects with rows.
const (
	maxAdapters = 256  // of the device model, and ports
	maxNets     = 1000 // network objects and datastores
	maxItems    = 1000 // settings
)

// checkAmount refuses a configuration with more objects of a kind than a device takes: it would
// leave the rest out.
func checkAmount(file string, c *config.EdgeDevConfig) error {
	for _, l := range []struct {
		field    string
		have, is int
	}{
		{"deviceIoList", len(c.GetDeviceIoList()), maxAdapters},
		{"systemAdapterList", len(c.GetSystemAdapterList()), maxAdapters},
		{"vlans", len(c.GetVlans()), maxAdapters},
		{"bonds", len(c.GetBonds()), maxAdapters},
		{"networks", len(c.GetNetworks()), maxNets},
		{"datastores", len(c.GetDatastores()), maxNets},
		{"configItems", len(c.GetConfigItems()), maxItems},
		{"networkInstances", len(c.GetNetworkInstances()), parse.MaxObjects},
		{"contentInfo", len(c.GetContentInfo()), parse.MaxObjects},
		{"volumes", len(c.GetVolumes()), parse.MaxObjects},
		{"apps", len(c.GetApps()), parse.MaxObjects},
	} {
		if l.have > l.is {
			return &Refusal{[]string{fmt.Sprintf("%s: %s: %d objects exceed the limit of %d",
				oneLine(file), l.field, l.have, l.is)}}
		}
	}
	return nil
}
