package zedagent

import (
	"errors"
	"strconv"
	"strings"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

const (
	configKey  = "config"
	checkEvery = 10 * time.Minute // how often the device's UUID may be doubted
)

// draw is a time between 0.3 and 1.0 of an interval, drawn once per purpose and count.
func (x *turn) draw(purpose string, count int, every time.Duration) time.Duration {
	key := purpose + "/" + strconv.Itoa(count) + "/" + strconv.Itoa(int(every/time.Second))
	return max(x.t.Between(key, every*3/10, every), time.Millisecond)
}

// keepConfig asks for the configuration when it is time to.
func (x *turn) keepConfig() {
	if !x.onboarded() || x.a.nodes.Len() == 0 || x.a.net.Len() == 0 {
		return
	}
	if x.w.Asking {
		res := x.a.conn.Get(x.t, configKey)
		if !res.Over() && res.Phase != agent.None {
			return
		}
		x.fetched(&res)
	}
	if !x.due() {
		x.t.WakeAt(configKey, x.w.Next)
		return
	}
	x.w.Asking = true
	x.w.Asked++
	x.t.Unwake(configKey)
	res := x.a.conn.Want(x.t, configKey, controllerconn.Request{Endpoint: eveapi.Config, Verify: true,
		Payload: eveapi.ConfigRequestBody(x.w.Hash, nil)})
	x.moved = x.moved || res.Over() // at once, for want of a port
}

// due reports whether the next request is to be sent now. Another interval counts from the end of
// the newest request.
func (x *turn) due() bool {
	x.watchNetwork()
	w := &x.w
	if every := x.settings().Seconds(config.ConfigInterval); every != w.Interval && w.Asked > 0 {
		w.Interval = every
		w.Next = w.Ended + x.draw("config", w.Asked, every)
	}
	return x.t.Now >= w.Next
}

// watchNetwork asks at once when a way to the controller opens after a request that found none.
func (x *turn) watchNetwork() {
	online := false
	for _, n := range x.a.net.All() {
		online = n.State.Sends() && n.Usable()
	}
	if online && !x.w.Online && x.w.Failed && x.w.Next > x.t.Now {
		x.w.Next = x.t.Now
	}
	x.w.Online = online
}

// fetched takes the answer to a request.
func (x *turn) fetched(res *controllerconn.Result) {
	x.moved = true
	w := &x.w
	w.Interval = x.settings().Seconds(config.ConfigInterval)
	w.Asking, w.Failed, w.Status, w.Ended = false, false, res.Status, x.t.Now
	w.Next = x.t.Now + x.draw("config", w.Asked, w.Interval)
	switch {
	case res.OK() && res.Code == 304:
		x.connected()
	case res.Code == 200 && !eveapi.IsProto(res.ContentType) &&
		(sizeOf(res.Kept) > 0 || res.Status.BadEnvelope()):
		x.light(node.LedConnected)
		x.failed("the answer has the content type " + strconv.Quote(res.ContentType))
	case res.OK():
		x.answered(res)
	default:
		x.refused(res)
		if plant.On(plant.OfflineStall) {
			w.Next = x.t.Now + 1000*time.Hour
		}
	}
	x.a.conn.Drop(x.t, configKey)
}

// answered takes an answer 200 that was verified.
func (x *turn) answered(res *controllerconn.Result) {
	cfg, hash, err := parsed(res.Payload, res.Kept)
	switch {
	case err != nil:
		x.failed("the controller's answer: " + err.Error())
	case hash != "" && hash == x.w.Hash:
		x.connected()
	case cfg == nil || empty(cfg):
		x.failed("the controller's answer has no configuration")
	case x.foreign(cfg):
		x.failed("the configuration is for device " +
			strconv.Quote(cfg.GetId().GetUuid()) + ", not for " +
			x.uuid())
		x.doubtUUID()
	default:
		x.received(cfg, hash, res.Kept)
	}
}

// sizeOf is the size of an answer as it came.
func sizeOf(kept *security.Kept) int64 {
	if kept == nil {
		return 0
	}
	return kept.Size
}

// parsed reads a verified payload without its secrets, or says what the part said of it that had
// the whole.
func parsed(payload []byte, kept *security.Kept) (*eveconfig.EdgeDevConfig, string, error) {
	if kept != nil && kept.Unread != "" {
		return nil, "", errors.New(kept.Unread)
	}
	return eveapi.ParseConfigResponse(payload)
}

// empty reports whether a configuration says nothing at all, not even whose it is. A device that
// is to do nothing gets one with its UUID.
//
// EVE: takes it, and with it everything from the device.
func empty(cfg *eveconfig.EdgeDevConfig) bool {
	if cfg.GetId() != nil || len(cfg.GetApps()) > 0 || len(cfg.GetSystemAdapterList()) > 0 {
		return false
	}
	rest := proto.CloneOf(cfg)
	rest.ControllercertConfighash, rest.ConfigTimestamp = "", nil
	return proto.Size(rest) == 0
}

// foreign reports whether a configuration is another device's. The controller may have given this
// one another UUID, so it is asked.
func (x *turn) foreign(cfg *eveconfig.EdgeDevConfig) bool {
	id := cfg.GetId().GetUuid()
	return id != "" && !strings.EqualFold(id, x.uuid())
}

// received applies a configuration. Only one that was applied, or that maintenance holds back, is
// kept: its hash stands for it from now on, and it is saved.
func (x *turn) received(cfg *eveconfig.EdgeDevConfig, hash string, kept *security.Kept) {
	x.s.Received = x.t.Wall
	wasHeld := x.s.Maintenance
	switch x.apply(cfg, fromController) {
	case obsolete:
		x.failed("the configuration of " + cfg.GetConfigTimestamp().AsTime().UTC().Format(time.RFC3339) +
			" is older than the one of " + x.s.Stamp.UTC().Format(time.RFC3339) + " in force")
		return
	case commanded:
		x.s.Got = true
		x.connected()
		return
	}
	x.s.Got = true
	if x.w.Hash = hash; wasHeld && !x.s.Maintenance {
		x.w.Hash = ""
	}
	x.w.Reading = false
	x.connected()
	x.checkpoint(kept)
}

// connected ends a request that went well.
func (x *turn) connected() {
	x.light(node.LedOnboarded)
	x.s.GetStatus = node.ConfigGetSuccess
	x.fault("")
}

// failed ends a request that did not bring a configuration.
func (x *turn) failed(text string) {
	x.w.Failed = true
	x.fault(text)
	x.s.GetStatus = node.ConfigGetFail
	if !x.s.Got && !x.s.GotSaved {
		x.w.Reading = true
	}
}

// refused takes a request that went wrong on the way, or whose answer is not to be trusted.
func (x *turn) refused(res *controllerconn.Result) {
	x.failed(res.Error())
	switch s := res.Status; {
	case s.BadEnvelope():
		x.light(node.LedInvalidAuthContainer)
	case s == controllerconn.StatusNoTLS:
		x.light(node.LedResponseWithoutTLS)
	case s == controllerconn.StatusCertInvalid, s == controllerconn.StatusUpgrade,
		s == controllerconn.StatusRefused, s == controllerconn.StatusNotFound:
		x.dim(node.LedConnected)
	default:
		x.dim(node.LedConnecting)
	}
	switch res.Status {
	case controllerconn.StatusCertMiss, controllerconn.StatusCertInvalid:
		x.w.Certs.Due = true
	case controllerconn.StatusNotFound:
		x.doubtUUID()
	}
	if x.nodeStatus().UpdateInprogress && passing(res.Status) {
		x.s.GetStatus = node.ConfigGetTemporaryFail
	}
}

// passing tells whether a failure is the controller's trouble, for which an update must not be
// undone.
func passing(s controllerconn.SenderStatus) bool {
	switch s {
	case controllerconn.StatusUpgrade, controllerconn.StatusRefused, controllerconn.StatusNotFound,
		controllerconn.StatusCertInvalid, controllerconn.StatusForbidden:
		return true
	}
	return false
}

// doubtUUID has zedclient ask whether the controller still knows the device, at most every ten
// minutes.
func (x *turn) doubtUUID() {
	if x.s.Checked > 0 && x.t.Now < x.s.Checked+checkEvery {
		return
	}
	x.s.Checked = x.t.Now
	n := 1
	if c := x.a.checks.Get(entity.Global); c != nil {
		n = c.Count + 1
	}
	x.a.checks.Put(node.UUIDCheck{Count: n})
}
