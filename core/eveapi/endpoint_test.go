package eveapi_test

import (
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
)

const (
	devID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	appID = "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
)

func TestURLs(t *testing.T) {
	for want, got := range map[string]string{
		"https://ctl.example:8443/api/v2/edgedevice/certs": eveapi.URL("ctl.example:8443\n",
			eveapi.Certs, ""),
		"https://c/api/v2/edgedevice/register": eveapi.URL("c", eveapi.Register,
			"00000000-0000-0000-0000-000000000000"),
		"https://c/api/v2/edgedevice/id/" + devID + "/config": eveapi.URL("c", eveapi.Config, devID),
		"https://c/api/v2/edgedevice/id/" + devID + "/apps/instanceid/" + appID +
			"/newlogs": eveapi.AppNewLogsURL("c", devID, appID),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestParsePath(t *testing.T) {
	const p, id = "/api/v2/edgedevice/", "id/" + devID + "/"
	for path, want := range map[string]eveapi.Route{
		p + "ping":            {Endpoint: eveapi.Ping},
		p + id + "ping":       {Endpoint: eveapi.Ping, Device: devID},
		p + "certs":           {Endpoint: eveapi.Certs},
		p + "register":        {Endpoint: eveapi.Register},
		p + id + "uuid":       {Endpoint: eveapi.UUID, Device: devID},
		p + id + "config":     {Endpoint: eveapi.Config, Device: devID},
		p + id + "info":       {Endpoint: eveapi.Info, Device: devID},
		p + id + "proxy/scep": {Endpoint: eveapi.SCEP, Device: devID},
		p + id + "apps/instanceid/" + appID + "/newlogs": {
			Endpoint: eveapi.AppNewLogs, Device: devID, App: appID,
		},
		p + "apps/instanceid/" + appID + "/logs": {Endpoint: eveapi.AppLogs, App: appID},
		p + id + "apps/instances/id/" + appID + "/logs": {
			Endpoint: eveapi.AppLogs, Device: devID, App: appID,
		},
	} {
		got, ok := eveapi.ParsePath(path)
		if !ok || got != want {
			t.Errorf("%s: %+v %v", path, got, ok)
		}
	}
	for _, path := range []string{
		"", "/", "/api/v1/edgedevice/config", "/api/v2/edgeDevice/ping", p, p + "config", p + "info",
		p + "nonsense", p + "id/" + devID, p + "id/" + devID + "/", p + "id/xyz/config", p + "PING",
		p + "id/6BA7B810-9DAD-11D1-80B4-00C04FD430C8/config", p + "ping/", p + id + id + "config",
		p + id + "apps/instanceid/xyz/logs", p + id + "apps/instanceid/" + appID + "/x",
		p + id + "apps/logs", p + "id/{" + devID + "}/config", p + "apps/newlogs",
	} {
		if got, ok := eveapi.ParsePath(path); ok {
			t.Errorf("%q: accepted as %+v", path, got)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	s := eveapi.Sender{RequestID: "r", Serial: "s", SoftSerial: "soft"}
	want := []eveapi.Header{
		{Name: "Content-Type", Value: "application/x-proto-binary"}, {Name: "X-Request-Id", Value: "r"},
		{Name: "X-Serial-Number", Value: "s"}, {Name: "X-Soft-Serial", Value: "soft"},
	}
	equal(t, "post before onboarding", eveapi.RequestHeaders(s, true), want)
	equal(t, "get before onboarding", eveapi.RequestHeaders(s, false), want[1:])
	s.Onboarded = true
	equal(t, "get after onboarding", eveapi.RequestHeaders(s, false), want[1:2])
}

func equal(t *testing.T, what string, got, want []eveapi.Header) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v", what, got)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: header %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestIsProto(t *testing.T) {
	for text, want := range map[string]bool{
		"application/x-proto-binary": true, "application/x-proto-binary; charset=x": true,
		"Application/X-Proto-Binary ": true, "": false, "application/json": false,
		"application/x-proto-binaryx": false, "text/plain": false,
	} {
		if eveapi.IsProto(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestIdentityExchange(t *testing.T) {
	b, err := eveapi.UUIDResponseBody(eveapi.Identity{UUID: devID, Manufacturer: "m", Product: "p"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := eveapi.ParseUUIDResponse(b)
	want := eveapi.Identity{UUID: devID, Manufacturer: "m", Product: "p"}
	if got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, id := range []string{"", "nonsense", "00000000-0000-0000-0000-000000000000"} {
		b, err := eveapi.UUIDResponseBody(eveapi.Identity{UUID: id})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := eveapi.ParseUUIDResponse(b); err == nil {
			t.Errorf("UUID %q is accepted", id)
		}
	}
}

func TestParseInfo(t *testing.T) {
	app := &info.ZInfoMsg{
		Ztype: info.ZInfoTypes_ZiApp, DevId: devID,
		InfoContent: &info.ZInfoMsg_Ainfo{Ainfo: &info.ZInfoApp{AppID: appID}},
	}
	b, err := eveapi.InfoBody(app)
	if err != nil {
		t.Fatal(err)
	}
	got, err := eveapi.ParseInfo(b)
	if err != nil || eveapi.InfoEntity(got) != appID {
		t.Errorf("got %v, %v", got, err)
	}
	for name, m := range map[string]*info.ZInfoMsg{
		"no device":  {Ztype: app.Ztype, InfoContent: app.InfoContent},
		"no content": {Ztype: app.Ztype, DevId: devID},
		"other type": {Ztype: info.ZInfoTypes_ZiVolume, DevId: devID, InfoContent: app.InfoContent},
	} {
		b, err := eveapi.InfoBody(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := eveapi.ParseInfo(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
