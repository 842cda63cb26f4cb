package msrv

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

func TestNET37_DocumentsOfApplications(t *testing.T) {
	b := newBench(t)
	b.serves(guests, strangers, offer1, offer2)
	b.reads(offer1, "/eve/v1/network.json", 200, `{"app-instance-uuid":"`+app1+
		`","caller-ip":"10.1.0.2","device-name":"edge","device-uuid":"dev","enterprise-id":"",`+
		`"enterprise-name":"","external-ipv4":"192.168.0.10","hostname":"`+app1+
		`","project-name":"lab","project-uuid":""}`)
	b.reads(offer1, "/eve/v1/external_ipv4", 200, "192.168.0.10\n")
	b.reads(offer2, "/eve/v1/hostname", 200, app2+"\n")
	b.reads(guests, "/eve/v1/wwan/status.json", 204, "")
	for path, code := range map[string]int{"/eve/v1/network.json": 404, "/eve/v1/hostname": 204,
		"/eve/v1/discover-network.json": 204, "/eve/v1/diag": 403, "/openstack": 501} {
		b.reads(strangers, path, code, "")
	}
	spec := rig.Get(b.Rig, bridge.Offers, offer1).Spec
	if spec.App != app1 || spec.Bridge != "bn1" || spec.Addr != netip.MustParseAddr("10.1.0.2") {
		t.Fatalf("offered to %+v", spec)
	}
	for _, o := range rig.Rows(b.Rig, bridge.Offers) {
		if why := bridge.SaneOffer(&bridge.OfferReq{Offer: o.Offer, Spec: &o.Spec}); why != "" {
			t.Errorf("%s: %s", o.Offer, why)
		}
	}
}

func TestNET37_NoWayOut(t *testing.T) {
	b := newBench(t)
	b.instance()
	b.serve()
	b.reads(offer1, "/eve/v1/network.json", 204, "")
	b.reads(offer1, "/eve/v1/external_ipv4", 204, "")
	b.instance("eth1")
	b.serves(offer1, offer2)
	b.reads(offer1, "/eve/v1/external_ipv4", 200, "192.168.1.10\n")
	rig.Delete(b.Rig, node.Info, entity.Global)
	b.serves(offer1, offer2)
	b.reads(offer1, "/eve/v1/network.json", 500, "")
}

func TestOffersFollowWhatTheyTellOf(t *testing.T) {
	b := newBench(t)
	b.serve()
	b.port("192.168.0.10/24", "fd00::11/64")
	b.serves() // only IPv6 changed
	b.port("192.168.0.77/24")
	b.serves(offer1, offer2)
	b.reads(offer1, "/eve/v1/external_ipv4", 200, "192.168.0.77\n")
	b.app(app2, "10.1.0.9", nil)
	b.serves("not "+offer2, app2+".bn1.10.1.0.9")
	b.app(app2, "10.1.0.9", func(ad *network.AppNetAdapterStatus) { ad.BridgeIPAddr = netip.Addr{} })
	b.serves("not " + app2 + ".bn1.10.1.0.9") // a switch
}

func TestNET37_Diagnosis(t *testing.T) {
	b := newBench(t)
	b.serve()
	b.reads(guests, "/eve/v1/diag", 404, "")
	section := func(name, text string) {
		rig.Put(b.Rig, node.Diag, node.DiagSection{Name: name, Lines: []node.DiagLine{
			{Level: node.DiagWarning, Text: text}, {Text: "fine"}}})
	}
	section("2-ports", "slow")
	section("1-summary", "so so")
	b.serves(guests)
	b.reads(guests, "/eve/v1/diag", 200, "WARNING: so so\nPASS: fine\nWARNING: slow\nPASS: fine\n")
	section("3-much", strings.Repeat("x", mostDiag/2))
	section("4-more", strings.Repeat("x", mostDiag/2))
	b.serves(guests)
	b.reads(guests, "/eve/v1/diag", 500, "")
}

func TestNET37_Discovery(t *testing.T) {
	b := newBench(t)
	b.app(app1, "10.1.0.2", func(ad *network.AppNetAdapterStatus) { ad.AllowToDiscover = true })
	b.serve()
	const path = "/eve/v1/discover-network.json"
	b.reads(offer1, path, 200, `{"`+app2+`":[{"port":"nbu1x2","address":"10.1.0.3"}]}`)
	if d := b.document(offer2, path); d.Code != 403 {
		t.Fatalf("who may not discover gets %+v", d)
	}
	b.app(app2, "10.1.0.3", func(ad *network.AppNetAdapterStatus) {
		ad.AssignedAddresses = []netip.Addr{netip.MustParseAddr("10.1.0.50")}
	})
	b.serves(offer1)
	b.reads(offer1, path, 200, `{"`+app2+`":[{"port":"nbu1x2","address":"10.1.0.50"}]}`)
}

func TestOpenStackDocumentsHoldReferences(t *testing.T) {
	b := newBench(t)
	const ref = "config:" + app1 + ":userData:beef"
	rig.Put(b.Rig, network.AppNetworks, network.AppNetworkConfig{MetaDataType: openStackType,
		UUIDandVersion: entity.UUIDandVersion{UUID: app1}, CloudInitUserData: ref})
	rig.Delete(b.Rig, network.AppNetworks, app2)
	b.serve()
	about := b.document(offer1, "/openstack/*/meta_data.json")
	if about == nil || about.Secret != ref || about.Fill != bridge.FillKeys || about.Body !=
		`{"hostname":"app-a1","launch_index":0,"name":"app-a1","uuid":"`+app1+`"}` {
		t.Fatalf("about the guest: %+v", about)
	}
	if d := b.document(offer1, "/openstack/*/user_data"); d.Secret != ref ||
		d.Fill != bridge.FillText || d.Body != "" {
		t.Fatalf("user data: %+v", d)
	}
	b.reads(offer2, "/openstack", 501, "") // nothing is known of it
	b.app(app2, "10.1.0.3", nil)
	b.serves(offer2)
	if d := b.document(offer2, "/openstack"); d != nil {
		t.Fatalf("one of another type gets %+v", d)
	}
}

func TestOnlyWhatIsGoneIsWithdrawn(t *testing.T) {
	b := newBench(t)
	b.serve()
	rig.Delete(b.Rig, network.AppNetworkStatuses, app1)
	b.serves("not " + offer1)

	// After a boot nothing is served; a part that still serves is left alone until all is known.
	b.Reboot()
	rig.Put(b.Rig, bridge.Offers, bridge.OfferSeen{Offer: offer1, Spec: bridge.OfferSpec{
		Bridge: "bn1", App: app1, Addr: netip.MustParseAddr("10.1.0.2")}})
	b.serves() // without an instance of a network there is nobody to serve
	b.instance("eth0")
	b.serves(guests, strangers)
	rig.Complete(b.Rig, network.AppNetworkStatuses)
	rig.Put(b.Rig, network.AppNetworkStatuses, network.AppNetworkStatus{
		UUIDandVersion: entity.UUIDandVersion{UUID: app2}})
	b.serves("not " + offer1)
}

func TestACrashAdoptsWhatIsServed(t *testing.T) {
	b := newBench(t)
	b.serve()
	b.Crash()
	b.serves()
	b.port("192.168.0.99/24")
	b.Step()
	b.Crash()
	b.serves(offer1, offer1, offer2, offer2) // calls of before it end first
}

func TestOffersAreTriedAgain(t *testing.T) {
	b := newBench(t)
	b.serve()
	b.app(app1, "10.1.0.7", nil)
	const offer = app1 + ".bn1.10.1.0.7"
	b.Step()
	rig.Fail(b.Rig, bridge.Offer, offer, agent.Fault{Code: bridge.FaultFailed, Retry: true})
	rig.Delete(b.Rig, bridge.Offers, offer1)
	rig.Done(b.Rig, bridge.Offer, offer1, bridge.None{})
	b.Step()
	if n := len(rig.Calls(b.Rig, bridge.Offer)); n != 0 {
		t.Fatalf("%d calls at once", n)
	}
	b.Advance(retryAfter)
	b.serves(offer)
	b.app(app1, "10.1.0.8", nil)
	b.Step()
	rig.Fail(b.Rig, bridge.Offer, app1+".bn1.10.1.0.8", agent.Fault{Code: bridge.FaultRefused})
	b.Advance(time.Hour)
	b.serves("not " + offer) // what is refused is refused
	rig.Delete(b.Rig, bridge.Offers, guests)
	b.serves(guests) // somebody took it away
}
