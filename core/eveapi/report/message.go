package report

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/lf-edge/eve-api/go/info"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Kind is a kind of entity that is reported, as queues name it.
type Kind string

// Kinds of entities.
const (
	KindDevice      Kind = "device"
	KindApp         Kind = "app"
	KindInstance    Kind = "instance"
	KindVolume      Kind = "volume"
	KindContentTree Kind = "content"
	KindBlob        Kind = "blob"
	KindMetaData    Kind = "appInstMetadataInfo" // what an application told of itself
)

// Gone is the last word on an entity: a message that holds only its identifier.
func Gone(kind Kind, id string) (*info.ZInfoMsg, error) {
	switch kind {
	case KindApp:
		return appMessage(&info.ZInfoApp{AppID: id}), nil
	case KindInstance:
		return instanceMessage(&info.ZInfoNetworkInstance{NetworkID: id}), nil
	case KindVolume:
		return volumeMessage(&info.ZInfoVolume{Uuid: id}), nil
	case KindContentTree:
		return treeMessage(&info.ZInfoContentTree{Uuid: id}), nil
	case KindBlob:
		return blobMessage(&info.ZInfoBlob{Sha256: id}), nil
	case KindMetaData:
		return goneMetaData(id)
	}
	return nil, fmt.Errorf("report the end of %s %s: such an entity does not end", kind, id)
}

// Body completes an info message of a device at a time of day and serializes it. news is a
// checksum of all it says but that time: the same for two messages that say the same. It is never
// 0.
func Body(m *info.ZInfoMsg, device string, at time.Time) (payload []byte, news uint64, err error) {
	m.DevId, m.AtTimeStamp = device, nil
	payload, err = eveapi.InfoBody(m)
	if err != nil {
		return nil, 0, err
	}
	var sum bus.Sum
	sum.Bytes(payload)
	// A message that follows another on the wire is merged into it.
	tail, err := eveapi.InfoBody(&info.ZInfoMsg{AtTimeStamp: timestamppb.New(at)})
	if err != nil {
		return nil, 0, err
	}
	return append(payload, tail...), max(sum.Value(), 1), nil
}

// stamp is a wall time on the wire, nil for the zero time.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// Error is an error on the wire, nil if there is none.
func Error(e *entity.ErrorDescription) *info.ErrorInfo {
	if !e.HasError() {
		return nil
	}
	out := &info.ErrorInfo{
		Description: e.Error, Timestamp: stamp(e.ErrorTime), Severity: info.Severity(e.ErrorSeverity),
		RetryCondition: e.ErrorRetryCondition,
	}
	if e.ErrorSeverity == entity.SeverityUnspecified {
		out.Severity = info.Severity_SEVERITY_ERROR
	}
	for _, x := range e.ErrorEntities {
		out.Entities = append(out.Entities, &info.DeviceEntity{
			Entity: info.Entity(x.EntityType), EntityId: x.EntityID})
	}
	return out
}

// errorList is Error as the list that some messages want.
func errorList(e *entity.ErrorDescription) []*info.ErrorInfo {
	if x := Error(e); x != nil {
		return []*info.ErrorInfo{x}
	}
	return nil
}

// State is a state of software as the controller knows it: EVE has more states than its API.
func State(s entity.SwState) info.ZSwState {
	switch s {
	case entity.INITIAL:
		return info.ZSwState_INITIAL
	case entity.RESOLVING_TAG:
		return info.ZSwState_RESOLVING_TAG
	case entity.RESOLVED_TAG:
		return info.ZSwState_RESOLVED_TAG
	case entity.DOWNLOADING:
		return info.ZSwState_DOWNLOAD_STARTED
	case entity.DOWNLOADED:
		return info.ZSwState_DOWNLOADED
	case entity.VERIFYING:
		return info.ZSwState_VERIFYING
	case entity.VERIFIED:
		return info.ZSwState_VERIFIED
	case entity.LOADING:
		return info.ZSwState_LOADING
	case entity.LOADED:
		return info.ZSwState_DELIVERED
	case entity.CREATING_VOLUME:
		return info.ZSwState_CREATING_VOLUME
	case entity.CREATED_VOLUME:
		return info.ZSwState_CREATED_VOLUME
	case entity.INSTALLED, entity.PAUSED:
		return info.ZSwState_INSTALLED
	case entity.AWAITNETWORKINSTANCE:
		return info.ZSwState_AWAITNETWORKINSTANCE
	case entity.START_DELAYED:
		return info.ZSwState_START_DELAYED
	case entity.BOOTING:
		return info.ZSwState_BOOTING
	}
	return laterState(s)
}

func laterState(s entity.SwState) info.ZSwState {
	switch s {
	case entity.RUNNING, entity.PAUSING, entity.UNKNOWN:
		return info.ZSwState_RUNNING
	case entity.HALTING, entity.BROKEN:
		return info.ZSwState_HALTING
	case entity.HALTED:
		return info.ZSwState_HALTED
	case entity.PENDING:
		return info.ZSwState_PENDING
	case entity.SCHEDULING:
		return info.ZSwState_SCHEDULING
	case entity.FAILED:
		return info.ZSwState_ERROR
	case entity.REMOTELOADED:
		return info.ZSwState_LOADED
	}
	return info.ZSwState_INVALID
}

// text is an address, empty if there is none.
func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func texts(list []netip.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

// unhex is the bytes of a lower-case hex text, nil if it is none.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}
