package msrv

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Content types.
const (
	jsonType = "application/json"
	textType = "text/plain"
)

// wished are the offers that there should be to an application, or to many.
func (a *msrv) wished(id string) []bridge.OfferSeen {
	if (id == guests || id == strangers) && a.instances.Len() == 0 {
		return nil // there is nobody to serve
	}
	switch id {
	case guests:
		return []bridge.OfferSeen{{Offer: guests, Spec: a.toGuests()}}
	case strangers:
		return []bridge.OfferSeen{{Offer: strangers, Spec: toStrangers()}}
	}
	st := a.statuses.Get(id)
	if st == nil {
		return nil
	}
	var out []bridge.OfferSeen
	for i := range st.AppNetAdapterList {
		ad := &st.AppNetAdapterList[i]
		if ad.Bridge == "" || !ad.BridgeIPAddr.Is4() || !ad.AllocatedIPv4Addr.Is4() {
			continue // not on a local instance, or without an address
		}
		out = append(out, bridge.OfferSeen{
			Offer: id + "." + ad.Bridge + "." + ad.AllocatedIPv4Addr.String(),
			Spec: bridge.OfferSpec{To: bridge.ToGuest, Bridge: ad.Bridge, Addr: ad.AllocatedIPv4Addr,
				App: id, Documents: append(a.documents(st, ad), a.openStack(st)...)}})
	}
	return out
}

// documents are what an application finds about itself.
func (a *msrv) documents(st *network.AppNetworkStatus, ad *network.AppNetAdapterStatus,
) []bridge.Document {
	var ips []string
	if o := a.outward.Get(ad.Network); o != nil {
		for _, ip := range o.IPs {
			ips = append(ips, ip.String())
		}
	}
	external := bridge.Document{Path: "/eve/v1/external_ipv4", Code: http.StatusNoContent}
	if len(ips) > 0 {
		external.Code, external.Type = http.StatusOK, textType
		external.Body = strings.Join(ips, "\n") + "\n"
	}
	return []bridge.Document{
		a.networkJSON(st.UUID, ad.AllocatedIPv4Addr, ips), external,
		{Path: "/eve/v1/hostname", Code: http.StatusOK, Type: textType, Body: st.UUID + "\n"},
		a.discovery(st.UUID, ad),
	}
}

// networkJSON is who an application and its device are.
func (a *msrv) networkJSON(id string, caller netip.Addr, ips []string) bridge.Document {
	out := bridge.Document{Path: "/eve/v1/network.json", Code: http.StatusNoContent}
	n := a.names.Get(entity.Global)
	switch {
	case n == nil:
		out.Code = http.StatusInternalServerError
		return out
	case len(ips) == 0:
		return out
	}
	device := ""
	if o := a.identity.Get(entity.Global); o != nil {
		device = o.DeviceUUID
	}
	out.Code, out.Type = http.StatusOK, jsonType
	out.Body = encode(struct {
		App            string `json:"app-instance-uuid"`
		Caller         string `json:"caller-ip"`
		DeviceName     string `json:"device-name"`
		DeviceUUID     string `json:"device-uuid"`
		EnterpriseID   string `json:"enterprise-id"`
		EnterpriseName string `json:"enterprise-name"`
		External       string `json:"external-ipv4"`
		Hostname       string `json:"hostname"`
		ProjectName    string `json:"project-name"`
		ProjectUUID    string `json:"project-uuid"`
	}{id, caller.String(), n.DeviceName, device, n.EnterpriseID, n.EnterpriseName,
		strings.Join(ips, ","), id, n.ProjectName, n.ProjectID})
	return out
}

// encode is a value as JSON.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("msrv: " + err.Error()) // texts and lists of them have a JSON
	}
	return string(text)
}

// neighbour is an address of an application, as others discover it.
type neighbour struct {
	Port    string `json:"port"`
	Address string `json:"address"`
}

// discovery is where the other applications are, for one that may know.
func (a *msrv) discovery(id string, ad *network.AppNetAdapterStatus) bridge.Document {
	out := bridge.Document{Path: "/eve/v1/discover-network.json", Code: http.StatusForbidden,
		Type: textType, Body: `{"message": "This app instance is not allowed to discover"}`}
	if !ad.AllowToDiscover {
		return out
	}
	found := map[string][]neighbour{}
	for other, st := range a.statuses.All() {
		if other == id {
			continue
		}
		for i := range st.AppNetAdapterList {
			x := &st.AppNetAdapterList[i]
			for _, ip := range x.AssignedAddresses {
				if ip.Is4() {
					found[other] = append(found[other], neighbour{x.Vif, ip.String()})
				}
			}
		}
	}
	out.Code, out.Type, out.Body = http.StatusOK, jsonType, encode(found)
	return out
}

// discoverers notes the applications that are told where others are.
func (a *msrv) discoverers(w *agent.Work) {
	for id, st := range a.statuses.All() {
		for i := range st.AppNetAdapterList {
			if st.AppNetAdapterList[i].AllowToDiscover {
				w.Add(id)
				break
			}
		}
	}
}
