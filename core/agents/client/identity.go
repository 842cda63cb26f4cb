package client

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// askUUID asks who this device is; the answer ends the run.
func (a *client) askUUID(t *agent.Turn, r *run) {
	serial, soft := a.serials(t)
	res := a.conn.Want(t, stepUUID, controllerconn.Request{
		Endpoint: eveapi.UUID, Payload: eveapi.UUIDRequestBody(), Verify: true,
		Serial: serial, SoftSerial: soft})
	if !res.Over() {
		return
	}
	text := a.takeUUID(t, r, &res)
	a.conn.Drop(t, stepUUID)
	if text == "" {
		a.light(t, node.LedOnboarded)
		a.finish(r)
		return
	}
	if r.Refused && res.LastCode != 0 && !res.Status.BadEnvelope() {
		text = r.Error // the registration tells more
	}
	miss, again := res.Status == controllerconn.StatusCertMiss, r.Missed
	a.fail(t, r, text)
	if r.Missed = miss; miss {
		r.Certs = false // the controller may have new certificates
	}
	if miss && !again {
		// Fetch them soon. Where they did not help, it signs with one that it does not list yet, and is
		// asked no faster than others that fail.
		r.Next = t.Now + firstDelay
		t.WakeAt("round", r.Next)
	}
}

// takeUUID publishes who the device is; otherwise it says what is wrong.
func (a *client) takeUUID(t *agent.Turn, r *run, res *controllerconn.Result) string {
	switch {
	case res.Status.BadEnvelope():
		a.light(t, node.LedInvalidAuthContainer)
		return res.Error()
	case res.LastCode == 0:
		a.noAnswer(t, res)
		return res.Error()
	case res.Code != 200 && res.Code != 201:
		if code := uuidLed(res.LastCode); !r.Refused {
			a.light(t, code)
		}
		if res.OK() {
			return "the controller answered without a UUID"
		}
		return res.Error()
	case !readable(res.ContentType):
		a.light(t, node.LedConnected)
		return "the answer has the content type " + strings.TrimSpace(res.ContentType+" ") +
			", want " + eveapi.ContentType
	}
	id, err := eveapi.ParseUUIDResponse(res.Payload)
	if err != nil {
		a.light(t, node.LedConnected)
		return err.Error()
	}
	row := node.OnboardingStatus{DeviceUUID: id.UUID, HardwareModel: a.model(id)}
	a.identity.Put(row)
	return ""
}

// uuidLed is what the LED says of an answer to uuid other than 200 and 201.
func uuidLed(code int) node.LedBlinkCount {
	if code == 409 {
		return node.LedOnboardingFailure
	}
	return node.LedConnected
}

// readable tells the content types that are taken; EVE's client is laxer than its other agents.
func readable(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case eveapi.ContentType, "application/json", "text/plain":
		return true
	}
	return false
}

// model is the hardware model: the controller's word, else the one kept, else the firmware's.
func (a *client) model(id eveapi.Identity) string {
	if id.Manufacturer != "" && id.Product != "" {
		return cleanModel(id.Manufacturer + "." + id.Product)
	}
	if old := a.identity.Get(entity.Global); old != nil && old.HardwareModel != "" {
		return old.HardwareModel
	}
	h := a.host.Get(hyper.HostSeen{}.Key())
	if h == nil || h.Manufacturer == "" && h.Product == "" {
		return "default"
	}
	return cleanModel(h.Manufacturer + "." + h.Product)
}

// cleanModel makes a text fit for a file name.
func cleanModel(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '/':
			return '_'
		case c == 0:
			return '.'
		case c < ' ' || c == 0x7f:
			return -1
		}
		return c
	}, s)
}

const rewriteAfter = time.Minute

// keepFiles keeps UUID and model in files, for tools that look there.
func (a *client) keepFiles(t *agent.Turn) {
	id := a.identity.Get(entity.Global)
	if id == nil || id.DeviceUUID == "" || !a.files.Complete() {
		return
	}
	a.keepFile(t, uuidFile, id.DeviceUUID+"\n")
	if id.HardwareModel != "" {
		a.keepFile(t, modelFile, id.HardwareModel)
	}
}

func (a *client) keepFile(t *agent.Turn, path, content string) {
	key := store.FileKey(path)
	sum := sha256.Sum256([]byte(content))
	if seen := a.files.Get(key); seen != nil && seen.Sha256 == hex.EncodeToString(sum[:]) {
		a.write.Drop(key)
		return
	}
	call := a.write.Want(key, store.WriteReq{Path: path, Data: []byte(content)})
	if !call.Over() {
		return
	}
	if at := call.Ended + rewriteAfter; t.Now < at {
		t.WakeAt(key, at)
	} else {
		a.write.Redo(key)
	}
}
