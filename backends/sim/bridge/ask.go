package bridge

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/metadata"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host"
)

// offer puts what the metadata service serves in force.
func (b *Bridge) offer(c host.Run[device.OfferReq, device.None]) {
	c.After(c.Latency(200*time.Microsecond, 4*time.Millisecond), func() {
		q := c.Req()
		if why := device.SaneOffer(q); why != "" {
			c.Fail(device.FaultRefused, "offer "+q.Offer+": "+why, false)
			return
		}
		b.desk.Apply(q)
		c.Done(device.None{})
	})
}

// Ask has a guest ask the metadata service through its interface, with the address that it uses;
// one that is given instead stands for a guest that made it up. ok is false if there is no answer,
// since the guest does not get that far.
func (b *Bridge) Ask(vif string, from netip.Addr, q metadata.Request) (a metadata.Answer, ok bool) {
	v, s := b.vifs[vif], b.specs["vif/"+vif].Vif
	if v == nil || s == nil || !s.Up || !b.gateway(s.Bridge).Is4() {
		return a, false
	}
	switch {
	case from.IsValid():
	case slices.Contains(v.ips, s.IP):
		from = s.IP
	case len(v.ips) > 0:
		from = v.ips[0]
	}
	out := Packet{Out: true, Proto: protoTCP, Remote: device.MetadataAddr(),
		RPort: device.MetadataPort}
	if !from.Is4() || !Passes(s.Rules, b.gateway(s.Bridge), out) {
		return a, false
	}
	q.Bridge, q.From = s.Bridge, from
	b.pt.Do(func() {
		if !slices.Contains(v.ips, from) {
			v.ips = append(slices.Clone(v.ips), from)
			slices.SortFunc(v.ips, netip.Addr.Compare)
			b.show(vif)
		}
		a = b.desk.Answer(q)
	})
	return a, true
}

// Vif is the interface of an application by the name of its adapter; empty if there is none.
func (b *Bridge) Vif(app, adapter string) string {
	for _, item := range b.names("vif/") {
		if s := b.specs[item].Vif; s.AppID == app && s.Adapter == adapter {
			return strings.TrimPrefix(item, "vif/")
		}
	}
	return ""
}
