package eveapi

import (
	"fmt"
	"strconv"

	"github.com/lf-edge/eve-api/go/flowlog"
	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"
)

// InfoBody builds the payload of an info request.
func InfoBody(m *info.ZInfoMsg) ([]byte, error) { return Marshal(m) }

// ParseInfo parses the payload of an info request and checks that it says about what it is: a type,
// a device and the content of that type.
func ParseInfo(payload []byte) (*info.ZInfoMsg, error) {
	m := &info.ZInfoMsg{}
	if err := Unmarshal(payload, m); err != nil {
		return nil, err
	}
	if m.GetDevId() == "" {
		return nil, fmt.Errorf("info of type %s names no device", m.GetZtype())
	}
	if m.GetInfoContent() == nil {
		return nil, fmt.Errorf("info of type %s has no content", m.GetZtype())
	}
	if want, ok := infoTypeOf(m); ok && want != m.GetZtype() {
		return nil, fmt.Errorf("info of type %s holds content of type %s", m.GetZtype(), want)
	}
	return m, nil
}

// infoTypeOf is the type that belongs to the content, false where several types share it.
func infoTypeOf(m *info.ZInfoMsg) (info.ZInfoTypes, bool) {
	switch m.GetInfoContent().(type) {
	case *info.ZInfoMsg_Dinfo:
		return info.ZInfoTypes_ZiDevice, true
	case *info.ZInfoMsg_Ainfo:
		return info.ZInfoTypes_ZiApp, true
	case *info.ZInfoMsg_Niinfo:
		return info.ZInfoTypes_ZiNetworkInstance, true
	case *info.ZInfoMsg_Vinfo:
		return info.ZInfoTypes_ZiVolume, true
	case *info.ZInfoMsg_Cinfo:
		return info.ZInfoTypes_ZiContentTree, true
	case *info.ZInfoMsg_Binfo:
		return info.ZInfoTypes_ZiBlobList, true
	case *info.ZInfoMsg_Hwinfo:
		return info.ZInfoTypes_ZiHardware, true
	}
	return 0, false
}

// InfoEntity is the identifier of what an info message is about: a UUID, the digest of a blob, or,
// for what an application told of itself, its UUID and the number of the type, with "-" between.
// Messages of one type with the same identifier replace each other.
func InfoEntity(m *info.ZInfoMsg) string {
	switch c := m.GetInfoContent().(type) {
	case *info.ZInfoMsg_Ainfo:
		return c.Ainfo.GetAppID()
	case *info.ZInfoMsg_Niinfo:
		return c.Niinfo.GetNetworkID()
	case *info.ZInfoMsg_Vinfo:
		return c.Vinfo.GetUuid()
	case *info.ZInfoMsg_Cinfo:
		return c.Cinfo.GetUuid()
	case *info.ZInfoMsg_Binfo:
		if blobs := c.Binfo.GetBlob(); len(blobs) > 0 {
			return blobs[0].GetSha256()
		}
		return ""
	case *info.ZInfoMsg_Amdinfo:
		return c.Amdinfo.GetUuid() + "-" + strconv.Itoa(int(c.Amdinfo.GetType()))
	}
	return m.GetDevId()
}

// FlowLogBody builds the payload of a flowlog request.
func FlowLogBody(m *flowlog.FlowMessage) ([]byte, error) { return Marshal(m) }

// ParseFlowLog parses the payload of a flowlog request, which must name its device.
func ParseFlowLog(payload []byte) (*flowlog.FlowMessage, error) {
	m := &flowlog.FlowMessage{}
	if err := Unmarshal(payload, m); err != nil {
		return nil, err
	}
	if m.GetDevId() == "" {
		return nil, fmt.Errorf("flow log names no device")
	}
	return m, nil
}

// MetricsBody builds the payload of a metrics request.
func MetricsBody(m *metrics.ZMetricMsg) ([]byte, error) { return Marshal(m) }

// ParseMetrics parses the payload of a metrics request, which must name its device.
func ParseMetrics(payload []byte) (*metrics.ZMetricMsg, error) {
	m := &metrics.ZMetricMsg{}
	if err := Unmarshal(payload, m); err != nil {
		return nil, err
	}
	if m.GetDevID() == "" {
		return nil, fmt.Errorf("metrics name no device")
	}
	return m, nil
}
