package source

import (
	"encoding/json"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/device/log"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// registry is the topics whose rows are read into their types when they come over a socket, by
// name. Rows of others, and of these when they cannot be read, stay JSON.
type registry map[string]*bus.Decl

// known lists every topic of packages topics and device.
func known() registry {
	r := registry{}
	r.add(app.Configs.Decl, app.Statuses.Decl, app.Summary.Decl, app.PurgeCounters.Decl,
		config.Items.Decl,
		content.Datastores.Decl, content.Trees.Decl, content.TreeStatuses.Decl,
		content.Blobs.Decl, content.Latched.Decl, content.Downloads.Decl,
		content.DownloadStatuses.Decl, content.Resolves.Decl, content.ResolveStatuses.Decl,
		content.Verifies.Decl, content.VerifyStatuses.Decl,
		domain.Configs.Decl, domain.Statuses.Decl, domain.Host.Decl, domain.Caps.Decl,
		network.PhysicalIO.Decl, network.Assignable.Decl, network.AppNetworks.Decl,
		network.AppNetworkStatuses.Decl, network.Numbers.Decl,
		network.AppInterfaceNumbers.Decl, network.Instances.Decl,
		network.InstanceStatus.Decl, network.DPCL.Decl, network.PortConfigFiles.Decl,
		network.DNS.Decl, network.ManualDPC.Decl, network.IPFlows.Decl, network.IPFlowsTaken.Decl,
		metrics.Flowlog.Decl,
		node.Onboarding.Decl, node.Client.Decl, node.UUIDChecks.Decl, node.ZedAgent.Decl,
		node.NodeAgent.Decl, node.Info.Decl, node.LedShown.Decl, node.Diag.Decl,
		node.WaitForAddr.Decl, node.OperatorRequests.Decl,
		security.EdgeNodeCerts.Decl, security.Tpm.Decl,
		volume.Configs.Decl, volume.Refs.Decl, volume.RefStatuses.Decl, volume.Statuses.Decl,
		volume.CreatePending.Decl, volume.Mgr.Decl)
	r.add(boot.Parts.Decl, boot.Boot.Decl, bridge.Items.Decl, bridge.Vifs.Decl,
		bridge.Records.Decl,
		clock.Clock.Decl, hyper.Domains.Decl, hyper.Host.Decl, hyper.Adapters.Decl,
		led.Light.Decl, log.Spool.Decl, nic.Links.Decl, nic.Addrs.Decl, nic.Items.Decl,
		operator.Requests.Decl, store.Blobs.Decl, store.Volumes.Decl, store.Space.Decl, store.Files.Decl,
		tpm.Keys.Decl, tpm.Module.Decl, web.Partials.Decl)
	family(r, metrics.Maps)
	family(r, network.DPCs)
	family(r, node.Led)
	family(r, security.ControllerCerts)
	return r
}

func (r registry) add(list ...*bus.Decl) {
	for _, d := range list {
		r[d.String()] = d
	}
}

func family[V bus.Row](r registry, f bus.Family[V]) {
	for _, o := range f.Owners() {
		r.add(f.Of(o).Decl)
	}
}

// decode reads a row of a topic: into its type where that is known.
func (r registry) decode(topic string, b json.RawMessage) any {
	if d := r[topic]; d != nil {
		if v, err := d.Decode(b); err == nil {
			return v
		}
	}
	return b
}
