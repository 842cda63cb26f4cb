package eveapi

import (
	"strings"

	"github.com/google/uuid"
)

// Endpoint is the last part of a path of the API: what is asked for.
type Endpoint string

// The endpoints of the API. Ping and Certs are GET without a body, the others POST with an
// envelope.
const (
	// Ping tests the way to the controller.
	Ping Endpoint = "ping"
	// Certs yields the controller's certificate list.
	Certs Endpoint = "certs"
	// Register makes a device known, by its onboarding certificate.
	Register Endpoint = "register"
	// UUID tells a device its UUID.
	UUID Endpoint = "uuid"
	// Config yields the device's configuration.
	Config Endpoint = "config"
	// CompoundConfig yields a signed configuration from a local operator console.
	CompoundConfig Endpoint = "compound-config"
	// Attest carries all messages of attestation.
	Attest Endpoint = "attest"
	// Info takes the state of one entity.
	Info Endpoint = "info"
	// Metrics takes counters and gauges.
	Metrics Endpoint = "metrics"
	// HardwareHealth takes memory error counts and disk reports.
	HardwareHealth Endpoint = "hardwarehealth"
	// FlowLog takes records of connections of applications.
	FlowLog Endpoint = "flowlog"
	// Logs takes a LogBundle; today's devices do not use it.
	Logs Endpoint = "logs"
	// NewLogs takes a gzip file of log lines.
	NewLogs Endpoint = "newlogs"
	// SCEP passes a certificate enrolment on.
	SCEP Endpoint = "proxy/scep"
	// AppLogs takes a LogBundle of one application, whose UUID is in the path.
	AppLogs Endpoint = "apps/logs"
	// AppNewLogs takes a gzip file of one application, whose UUID is in the path.
	AppNewLogs Endpoint = "apps/newlogs"
)

const (
	apiPrefix = "/api/v2/edgedevice/"
	nilUUID   = "00000000-0000-0000-0000-000000000000"
)

// Route is a path of the API taken apart.
type Route struct {
	// Endpoint is what is asked for.
	Endpoint Endpoint
	// Device is the UUID in the path, "" in the form without one.
	Device string
	// App is the application's UUID, for AppLogs and AppNewLogs.
	App string
}

// Path is the path of a route. An empty or nil device UUID gives the form without it, which is
// what a device uses that does not know its UUID yet.
func (r Route) Path() string {
	var b strings.Builder
	b.WriteString(apiPrefix)
	if r.Device != "" && r.Device != nilUUID {
		b.WriteString("id/")
		b.WriteString(r.Device)
		b.WriteByte('/')
	}
	switch r.Endpoint {
	case AppLogs:
		b.WriteString("apps/instanceid/" + r.App + "/logs")
	case AppNewLogs:
		b.WriteString("apps/instanceid/" + r.App + "/newlogs")
	default:
		b.WriteString(string(r.Endpoint))
	}
	return b.String()
}

// URL is the address of an endpoint at server ("host" or "host:port", as /config/server has it) for
// the device with this UUID, which may be empty.
func URL(server string, e Endpoint, device string) string {
	return "https://" + strings.TrimSpace(server) + Route{Endpoint: e, Device: device}.Path()
}

// AppNewLogsURL is the address an application's log files are sent to.
func AppNewLogsURL(server, device, app string) string {
	r := Route{Endpoint: AppNewLogs, Device: device, App: app}
	return "https://" + strings.TrimSpace(server) + r.Path()
}

// Method is the HTTP method of an endpoint, "" for an unknown one.
func (e Endpoint) Method() string {
	switch e {
	case Ping, Certs:
		return "GET"
	case Register, UUID, Config, CompoundConfig, Attest, Info, Metrics, HardwareHealth, FlowLog, Logs,
		NewLogs, SCEP, AppLogs, AppNewLogs:
		return "POST"
	}
	return ""
}

// needsDevice tells whether the path must name the device.
func (e Endpoint) needsDevice() bool {
	switch e {
	case Ping, Certs, Register, UUID, AppLogs, AppNewLogs:
		return false
	}
	return true
}

// ParsePath takes a request's path apart. It is false for what is not a path of the API:
// another version, another case, a UUID that is none, a missing UUID. All known forms of
// application logs are taken.
func ParsePath(path string) (Route, bool) {
	rest, ok := strings.CutPrefix(path, apiPrefix)
	if !ok {
		return Route{}, false
	}
	var r Route
	if after, ok := strings.CutPrefix(rest, "id/"); ok {
		if r.Device, rest, ok = strings.Cut(after, "/"); !ok || !isUUID(r.Device) {
			return Route{}, false
		}
	}
	if after, ok := strings.CutPrefix(rest, "apps/"); ok {
		return parseAppPath(r, after)
	}
	r.Endpoint = Endpoint(rest)
	if r.Endpoint.Method() == "" || (r.Device == "" && r.Endpoint.needsDevice()) {
		return Route{}, false
	}
	return r, true
}

func parseAppPath(r Route, rest string) (Route, bool) {
	for _, prefix := range []string{"instanceid/id/", "instanceid/", "instances/id/"} {
		after, ok := strings.CutPrefix(rest, prefix)
		if !ok {
			continue
		}
		app, last, ok := strings.Cut(after, "/")
		if !ok || !isUUID(app) {
			return Route{}, false
		}
		r.App = app
		switch last {
		case "logs":
			r.Endpoint = AppLogs
		case "newlogs":
			r.Endpoint = AppNewLogs
		default:
			return Route{}, false
		}
		return r, true
	}
	return Route{}, false
}

// isUUID tells whether s is a UUID in its canonical form, in lower case.
func isUUID(s string) bool {
	if len(s) != 36 || strings.ToLower(s) != s {
		return false
	}
	return uuid.Validate(s) == nil
}
