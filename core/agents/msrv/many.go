package msrv

import (
	"net/http"
	"strings"

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
func (a *msrv) toGuests() bridge.OfferSpec {
	return bridge.OfferSpec{To: bridge.ToGuests, Intakes: intakes(), Documents: append(absent(),
		bridge.Document{Path: "/eve/v1/app/info.json", Code: http.StatusOK, Type: jsonType,
			Body: `{"AppBlobs":null}`}, a.diagnosis())}
}

// mostDiag bounds the report on the device's connectivity.
const mostDiag = 65535

// diagnosis is the report on the device's connectivity, as its console shows it.
func (a *msrv) diagnosis() bridge.Document {
	out := bridge.Document{Path: "/eve/v1/diag", Code: http.StatusNotFound}
	var text strings.Builder
	for _, s := range a.diag.All() {
		for _, l := range s.Lines {
			text.WriteString(l.Level.String() + ": " + l.Text + "\n")
		}
	}
	switch n := text.Len(); {
	case n > mostDiag:
		out.Code = http.StatusInternalServerError
	case n > 0:
		out.Code, out.Type, out.Body = http.StatusOK, textType, text.String()
	}
	return out
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
