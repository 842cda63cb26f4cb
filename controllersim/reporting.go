package controllersim

import (
	"net/http"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/attest"
	"github.com/lf-edge/eve-api/go/flowlog"
	"github.com/lf-edge/eve-api/go/hardwarehealth"
	"github.com/lf-edge/eve-api/go/logs"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// report takes what a device tells of itself.
func (x *exchange) report() reply {
	body := x.envelope.Payload
	r := fleet.Report{At: x.now, Kind: x.route.Endpoint, Entity: x.route.App, Body: body}
	var about string
	var err error
	switch x.route.Endpoint {
	case eveapi.Info:
		m, perr := eveapi.ParseInfo(body)
		about, err = m.GetDevId(), perr
		if err == nil {
			r.Type, r.Entity = m.GetZtype(), eveapi.InfoEntity(m)
			r.Stamp = stamped(m.GetAtTimeStamp())
		}
	case eveapi.Metrics:
		m, perr := eveapi.ParseMetrics(body)
		about, err = m.GetDevID(), perr
		r.Stamp = stamped(m.GetAtTimeStamp())
	case eveapi.HardwareHealth:
		about, err = parseAs(body, &hardwarehealth.ZHardwareHealth{})
	case eveapi.FlowLog:
		about, err = parseAs(body, &flowlog.FlowMessage{})
	case eveapi.Logs:
		about, err = parseAs(body, &logs.LogBundle{})
	case eveapi.AppLogs:
		about, err = parseAs(body, &logs.AppInstanceLogBundle{})
	case eveapi.NewLogs, eveapi.AppNewLogs:
		if len(body) < 2 || body[0] != 0x1f || body[1] != 0x8b {
			return refuse(http.StatusUnprocessableEntity, "log file is not compressed by gzip")
		}
	}
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	if about != "" && about != x.device.UUID() {
		return refuse(http.StatusUnprocessableEntity, "the message is about device "+about)
	}
	x.device.AddReport(r)
	return reply{Response: Response{Code: http.StatusCreated}}
}

// stamped is a stamp in ns since 1970, 0 for none.
func stamped(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixNano()
}

// parseAs parses a message and returns the device it is about, if it says so.
func parseAs(body []byte, m proto.Message) (string, error) {
	if err := eveapi.Unmarshal(body, m); err != nil {
		return "", err
	}
	switch m := m.(type) {
	case *hardwarehealth.ZHardwareHealth:
		return m.GetDevId(), nil
	case *flowlog.FlowMessage:
		return m.GetDevId(), nil
	case *logs.LogBundle:
		return m.GetDevID(), nil
	}
	return "", nil
}

// attest takes the device's certificates. This controller asks for no proof of the device's state,
// so other messages of attestation are answered with 404, as controllers without it do.
func (x *exchange) attest() reply {
	m := &attest.ZAttestReq{}
	if err := eveapi.Unmarshal(x.envelope.Payload, m); err != nil {
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	if m.GetReqType() != attest.ZAttestReqType_ATTEST_REQ_CERT {
		return refuse(http.StatusNotFound, "attestation is not asked for")
	}
	if !x.device.SetNodeCerts(m.GetCerts()) {
		return refuse(http.StatusNotFound, "a certificate that is not mutable would be replaced")
	}
	payload, err := eveapi.Marshal(&attest.ZAttestResponse{
		RespType: attest.ZAttestRespType_ATTEST_RESP_CERT,
	})
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	return x.signed(http.StatusCreated, payload)
}
