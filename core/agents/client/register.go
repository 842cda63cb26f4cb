package client

import (
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/node"
)

// register makes the device known, where it has an onboarding key and certificate. EVE takes every
// answer for "not yet" and repeats it until the UUID is known; here 200 and 201 are enough.
func (a *client) register(t *agent.Turn, r *run) {
	onboard := a.keys.Get(tpm.Onboard)
	if r.Known || r.Asked || onboard == nil || onboard.CertPEM == "" {
		r.Step = stepUUID
		return
	}
	serial, soft := a.serials(t)
	body, err := eveapi.RegisterBody(eveapi.Registration{
		CertPEM: []byte(a.keys.Get(tpm.Device).CertPEM), Serial: serial, SoftSerial: soft})
	if err != nil {
		r.Asked, r.Refused, r.Error, r.Step = true, true, err.Error(), stepUUID
		return
	}
	res := a.conn.Want(t, stepRegister, controllerconn.Request{
		Endpoint: eveapi.Register, Payload: body, SenderPEM: []byte(onboard.CertPEM),
		Serial: serial, SoftSerial: soft})
	if !res.Over() {
		return
	}
	a.conn.Drop(t, stepRegister)
	r.Asked = true
	switch {
	case res.Code == 200 || res.Code == 201:
		r.Known = true
	case res.LastCode == 0:
		a.noAnswer(t, &res)
		a.fail(t, r, res.Error())
		return
	default:
		a.light(t, registerLed(res.LastCode))
		r.Refused, r.Error = true, "register: "+res.Error()
		if res.LastCode == 304 {
			r.Error = "register: the controller answered 304"
		}
	}
	r.Step = stepUUID
}

// registerLed is what the LED says of an answer to register other than 200 and 201.
func registerLed(code int) node.LedBlinkCount {
	switch code {
	case 403:
		return node.LedOnboardingNotFound
	case 409, 304:
		return node.LedOnboardingConflict
	case 400, 500, 504:
		return node.LedOnboardingFailure
	}
	return node.LedConnected
}

// noAnswer lets the LED say what is known when no controller answered.
func (a *client) noAnswer(t *agent.Turn, res *controllerconn.Result) {
	if res.Status == controllerconn.StatusNoTLS {
		a.light(t, node.LedResponseWithoutTLS)
	}
}

// serials are the product serial, as the firmware has it, and the soft serial of /config.
func (a *client) serials(t *agent.Turn) (product, soft string) {
	if h := a.host.Get(hyper.HostSeen{}.Key()); h != nil {
		product = strings.TrimSpace(h.Serial)
	}
	if product == "Not Specified" {
		product = ""
	}
	return product, a.soft.Line(t)
}
