package conform_test

import (
	"cmp"
	"net/netip"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/sim/nic"
	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

func TestModelNicConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	can := model
	can.Lacks = lacksForNic(true, true)
	conform.Nic(t, can, modelNic())
}

// TestModelNicWithoutVLANConforms is the model of a kernel that lacks VLANs.
func TestModelNicWithoutVLANConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.Nic(t, conform.Backend{Name: "model without VLANs", Report: report,
		Lacks: lacksForNic(false, false)}, modelNic("VLAN", "WireGuard"))
}

// lacksForNic says what a kernel cannot do for a part nic that has VLANs and WireGuard or not.
func lacksForNic(vlan, tunnels bool) func(need string) string {
	return func(need string) string {
		return cmp.Or(lacking(conform.NeedsVLAN, conform.NeedsNoVLAN, !vlan)(need),
			lacking(conform.NeedsWireGuard, conform.NeedsNoWireGuard, !tunnels)(need))
	}
}

// modelNic makes models of a part nic.
func modelNic(lacks ...string) func(t *testing.T) conform.NicSetup {
	return func(t *testing.T) conform.NicSetup {
		m, err := world.Parse("nic", []byte(conform.NicWorld))
		if err != nil {
			t.Fatal(err)
		}
		var n *nic.Nic
		w := world.New(m, world.Options{OnCarrier: func(port string, _ bool) { n.Carrier(port) }})
		keeper := secret.New([]byte("a key"))
		n = &nic.Nic{World: w, Lacks: lacks, Keeper: func() *secret.Keeper { return keeper },
			Clock: time.Now, Interfaces: []nic.Interface{
				{Name: "eth0", Port: "p0"}, {Name: "eth1", Port: "p1"}}}
		port := map[string]string{"eth0": "p0", "eth1": "p1"}
		return conform.NicSetup{Setup: conform.Setup{Part: n},
			Cable: func(ifname string, in bool) {
				if in {
					w.Plug(port[ifname])
				} else {
					w.Cut(port[ifname])
				}
			},
			Serve: func(on bool) { w.SetDHCP("lan", on) },
			Renumber: func(other bool) {
				subnet := netip.Prefix{}
				if other {
					subnet = conform.NicOther()
				}
				w.Renumber("lan", subnet)
			},
			Meddle: n.Meddle, Secret: making(keeper),
			Via: func(src netip.Addr) string {
				if from, ok := n.From("eth0", src); ok && from.Gateway.IsValid() {
					return from.Gateway.String()
				}
				return ""
			}}
	}
}

// making makes secrets known to a keeper, as if a TPM had unsealed them.
func making(k *secret.Keeper) func(text string) (ref string) {
	return func(text string) string { return k.Made(secret.Sealed, []byte(text)) }
}
