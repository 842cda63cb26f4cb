package msrv

import (
	"net/http"

	"github.com/evetwin/evetwin/core/device/bridge"
)

// absent are documents of which there is nothing to say.
func absent() []bridge.Document {
	var out []bridge.Document
	for _, name := range []string{"location.json", "networks/metrics.json", "wwan/metrics.json",
		"wwan/status.json"} {
		out = append(out, bridge.Document{Path: "/eve/v1/" + name, Code: http.StatusNoContent})
	}
	return out
}

// toGuests is what every application is served beside what is about itself.
func toGuests() bridge.OfferSpec {
	return bridge.OfferSpec{To: bridge.ToGuests, Intakes: intakes(), Documents: append(absent(),
		bridge.Document{Path: "/eve/v1/app/info.json", Code: http.StatusOK, Type: jsonType,
			Body: `{"AppBlobs":null}`})}
}

// toStrangers is what is served to whom no application is known by its address.
func toStrangers() bridge.OfferSpec {
	docs := append(absent(),
		bridge.Document{Path: "/eve/v1/app/info.json", Code: http.StatusOK, Type: jsonType,
			Body: "not found"},
		bridge.Document{Path: "/eve/v1/diag", Code: http.StatusForbidden},
		bridge.Document{Path: "/eve/v1/discover-network.json", Code: http.StatusNoContent},
		bridge.Document{Path: "/eve/v1/external_ipv4", Code: http.StatusNotFound},
		bridge.Document{Path: "/eve/v1/hostname", Code: http.StatusNoContent},
		bridge.Document{Path: "/eve/v1/network.json", Code: http.StatusNotFound})
	return bridge.OfferSpec{To: bridge.ToStrangers, Intakes: intakes(),
		Documents: append(docs, notImplemented()...)}
}
