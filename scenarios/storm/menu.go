package storm

import (
	"slices"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/power"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// Usual is what the usual device offers: all agents, two interfaces on the default network model,
// the servers of the scenarios.
func Usual() fault.Menu { return menuOf(world.Default(2), []string{"eth0", "eth1"}) }

func menuOf(m *world.Model, interfaces []string) fault.Menu {
	out := fault.Menu{Ops: ops(), Interfaces: interfaces,
		Hosts: []string{scenario.Registry, scenario.Files},
		Endpoints: []string{"", string(eveapi.Config), string(eveapi.Info), string(eveapi.Metrics),
			string(eveapi.Certs), string(eveapi.UUID), string(eveapi.Register), string(eveapi.Ping),
			string(eveapi.Attest)}}
	for _, e := range roster.Agents() {
		out.Agents = append(out.Agents, e.Name)
	}
	for i := range m.Networks {
		out.Networks = append(out.Networks, m.Networks[i].Label)
	}
	for i := range m.Endpoints.DNSServers {
		out.Resolvers = append(out.Resolvers, m.Endpoints.DNSServers[i].Label)
	}
	for i := range m.Endpoints.ExplicitProxies {
		out.Proxies = append(out.Proxies, m.Endpoints.ExplicitProxies[i].Label)
	}
	for i := range m.Endpoints.TransparentProxies {
		out.Proxies = append(out.Proxies, m.Endpoints.TransparentProxies[i].Label)
	}
	return out
}

// ops are the names of all ops.
func ops() []string {
	var out []string
	for _, d := range []*agent.OpDecl{
		boot.SetReason.OpDecl, bridge.Set.OpDecl, bridge.Clear.OpDecl, bridge.Counters.OpDecl,
		bridge.Offer.OpDecl, bridge.Flows.OpDecl,
		clock.Sync.OpDecl, hyper.Create.OpDecl, hyper.Start.OpDecl, hyper.Stop.OpDecl,
		hyper.Delete.OpDecl, hyper.Bind.OpDecl, hyper.Usages.OpDecl, led.Blink.OpDecl,
		nic.Set.OpDecl, nic.Clear.OpDecl, nic.Counters.OpDecl, power.Reset.OpDecl, store.Read.OpDecl,
		store.Write.OpDecl, store.Remove.OpDecl, store.Verify.OpDecl, store.ReadBlob.OpDecl,
		store.RemoveBlob.OpDecl, store.CreateVolume.OpDecl, store.RemoveVolume.OpDecl,
		tpm.Create.OpDecl, tpm.Sign.OpDecl, web.Send.OpDecl, web.Fetch.OpDecl,
		web.RemovePartial.OpDecl,
	} {
		out = append(out, d.Name)
	}
	slices.Sort(out)
	return out
}
