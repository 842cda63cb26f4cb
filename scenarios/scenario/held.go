package scenario

import (
	"fmt"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/lf-edge/eve-api/go/info"
)

// heldStates is what the controller was told last: applications, volumes, content and networks with
// their states and errors, and the device's own state.
func heldStates(d *fleet.Device) []string {
	var out []string
	if i := d.DeviceInfo(); i != nil {
		out = append(out, fmt.Sprintf("device %v maintenance=%v apps=%d", i.GetState(),
			i.GetMaintenanceMode(), len(i.GetAppInstances())))
	}
	for _, m := range d.LastInfos(info.ZInfoTypes_ZiApp) {
		a := m.GetAinfo()
		line := fmt.Sprintf("app %s %v", a.GetAppID(), a.GetState())
		for _, n := range a.GetNetwork() {
			line += fmt.Sprintf(" %s=%v", n.GetDevName(), n.GetIPAddrs())
		}
		for _, e := range a.GetAppErr() {
			line += " error=" + e.GetDescription()
		}
		out = append(out, line)
	}
	for _, m := range d.LastInfos(info.ZInfoTypes_ZiVolume) {
		v := m.GetVinfo()
		out = append(out, fmt.Sprintf("volume %s %v", v.GetUuid(), v.GetState()))
	}
	for _, m := range d.LastInfos(info.ZInfoTypes_ZiContentTree) {
		c := m.GetCinfo()
		out = append(out, fmt.Sprintf("content %s %v", c.GetUuid(), c.GetState()))
	}
	for _, m := range d.LastInfos(info.ZInfoTypes_ZiNetworkInstance) {
		n := m.GetNiinfo()
		out = append(out, fmt.Sprintf("network %s %v %s", n.GetNetworkID(), n.GetState(),
			n.GetBridgeName()))
	}
	return out
}
