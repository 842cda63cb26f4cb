package msrv

import (
	"net/http"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// openStackType is the type of metadata that is served as OpenStack does, with EVE's number.
const openStackType = 2

// openStack is what cloud-init finds in a guest whose metadata is of that type.
func (a *msrv) openStack(st *network.AppNetworkStatus) []bridge.Document {
	c := a.networks.Get(st.UUID)
	if c == nil {
		return notImplemented()
	}
	if c.MetaDataType != openStackType {
		return nil
	}
	about := bridge.Document{Path: "/openstack/*/meta_data.json", Code: http.StatusOK,
		Type: jsonType, Fill: bridge.FillKeys, Secret: c.CloudInitUserData,
		Body: encode(struct {
			Hostname string `json:"hostname"`
			Launch   int    `json:"launch_index"`
			Name     string `json:"name"`
			UUID     string `json:"uuid"`
		}{st.DisplayName, 0, st.DisplayName, st.UUID})}
	return []bridge.Document{
		{Path: "/openstack", Code: http.StatusOK, Type: textType, Body: "latest\n"},
		about,
		{Path: "/openstack/*/network_data.json", Code: http.StatusOK, Type: jsonType,
			Body: `{"networks":[],"services":[]}`},
		{Path: "/openstack/*/user_data", Code: http.StatusOK, Type: "text/yaml",
			Fill: bridge.FillText, Secret: c.CloudInitUserData},
		{Path: "/openstack/*/vendor_data.json", Code: http.StatusOK, Type: jsonType, Body: "{}"},
	}
}

// notImplemented is what is said of OpenStack to whom nothing is known of.
func notImplemented() []bridge.Document {
	var out []bridge.Document
	for _, p := range []string{"/openstack", "/openstack/*", "/openstack/*/*"} {
		out = append(out, bridge.Document{Path: p, Code: http.StatusNotImplemented})
	}
	return out
}
