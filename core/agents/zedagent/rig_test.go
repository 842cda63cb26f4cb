package zedagent

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a002"

// controller is the other side.
type controller struct{ *cloud.Controller }

// config is a sealed answer with a configuration.
func (c controller) config(cfg *eveconfig.EdgeDevConfig, hash string) []byte {
	b, err := eveapi.Marshal(cfg)
	if err != nil {
		panic(err)
	}
	return c.Seal(eveapi.ConfigResponseBody(b, "", hash))
}

// bench is a device with one agent, and the files of its disk.
type bench struct {
	*rig.Rig
	t     testing.TB
	c     controller
	files map[string][]byte
	wrote []string // paths, in order
	full  bool     // the disk is

	keeper *secret.Keeper // what the parts know of secrets
}

// newBench has an empty disk but for what an installer puts there.
func newBench(t testing.TB) *bench {
	b := &bench{t: t, c: controller{cloud.New(t)}, files: map[string][]byte{},
		keeper: secret.New([]byte("bench"))}
	b.files["/config/server"] = []byte("zed.example\n")
	b.files[rootFile] = b.c.Root.PEM
	b.Rig = rig.New(t, "zedagent", New)
	return b
}

// boot publishes what is there after each start of the device: its files, and why it booted.
func (b *bench) boot(reason node.BootReason) {
	for path, data := range b.files {
		b.file(path, data)
	}
	rig.Complete(b.Rig, store.Files)
	rig.Put(b.Rig, node.NodeAgent, node.NodeAgentStatus{Name: "nodeagent", BootReason: reason})
	b.settle()
}

func (b *bench) file(path string, data []byte) {
	b.files[path] = data
	rig.Put(b.Rig, store.Files, store.FileSeen{Path: path, Size: int64(len(data)), Sha256: sum(data)})
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// online gives the device its UUID and a network.
func (b *bench) online() {
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	b.network(network.DPCSuccess, "10.0.0.5")
	b.settle()
}

func (b *bench) network(s network.DPCState, addrs ...string) {
	rig.Put(b.Rig, network.DNS, cloud.Network(s, addrs...))
}

// settle carries out everything but web.Send.
func (b *bench) settle() {
	b.t.Helper()
	b.Step()
	for range 12 {
		for _, c := range rig.Calls(b.Rig, store.Read) {
			if data, ok := b.files[c.Req.Path]; ok {
				rig.Done(b.Rig, store.Read, c.Key, b.read(c.Req.Path, data))
			} else {
				rig.Fail(b.Rig, store.Read, c.Key, agent.Fault{Code: store.FaultMissing, Text: "missing"})
			}
		}
		for _, c := range rig.Calls(b.Rig, store.Write) {
			if b.full {
				rig.Fail(b.Rig, store.Write, c.Key, agent.Fault{
					Code: store.FaultNoSpace, Text: "the disk is full", Retry: true})
				continue
			}
			if old := b.files[c.Req.Path]; c.Req.Backup && old != nil {
				b.file(c.Req.Path+".bak", old)
			}
			b.file(c.Req.Path, b.meant(&c.Req))
			b.wrote = append(b.wrote, c.Req.Path)
			rig.Done(b.Rig, store.Write, c.Key, store.None{})
		}
		for _, c := range rig.Calls(b.Rig, tpm.Sign) {
			rig.Done(b.Rig, tpm.Sign, c.Key, tpm.SignRes{CertHash: sha256.Sum256([]byte("device"))})
		}
		b.Step()
	}
}

// read is what the part store hands out of a file.
func (b *bench) read(path string, data []byte) (out store.ReadRes) {
	switch out.Data = data; path {
	case store.SavedConfig, store.BackupConfig:
		out.Data, out.Kept = b.keeper.Answer(data)
	case store.BootstrapConfig:
		out.Data, out.Kept = b.keeper.Bootstrap(data)
	}
	return out
}

// meant is what a write is to put into a file.
func (b *bench) meant(req *store.WriteReq) []byte {
	if req.Kept == "" {
		return req.Data
	}
	for _, data := range b.files {
		if sum(data) == req.Kept {
			return data
		}
	}
	data, ok := b.keeper.Bytes(req.Kept)
	if !ok {
		b.t.Fatalf("write %s: nobody has what is to be in it", req.Path)
	}
	return data
}

// asked is the request for an endpoint that is under way, nil if there is none.
func (b *bench) asked(endpoint string) *web.SendReq {
	b.settle()
	for _, c := range rig.Calls(b.Rig, web.Send) {
		if strings.HasSuffix(c.Req.URL, "/"+endpoint) {
			return &c.Req
		}
	}
	return nil
}

// reply answers an endpoint that is asked, and fails the test if it is not.
func (b *bench) reply(endpoint string, res web.SendRes) {
	b.t.Helper()
	if b.asked(endpoint) == nil {
		b.t.Fatalf("%s is not asked for: %+v", endpoint, b.status())
	}
	res.WithTLS = true
	if endpoint == "config" && len(res.Body) > 0 {
		res.Body, res.Kept = b.keeper.Answer(res.Body)
	}
	rig.Done(b.Rig, web.Send, endpoint, res)
	b.settle()
}

func (b *bench) answer(endpoint string, code int, body []byte) {
	b.t.Helper()
	res := web.SendRes{Code: code, Body: body}
	if body != nil {
		res.Header = []web.Header{{Name: "Content-Type", Value: eveapi.ContentType}}
	}
	b.reply(endpoint, res)
}

// certsThen answers the fetch of certificates, if one is under way.
func (b *bench) certsThen() *bench {
	b.t.Helper()
	if b.asked("certs") != nil {
		b.answer("certs", 200, b.c.Seal(b.c.List()))
	}
	return b
}

// configure waits for the next request and answers it with a configuration.
func (b *bench) configure(cfg *eveconfig.EdgeDevConfig, hash string) {
	b.t.Helper()
	b.next()
	b.answer("config", 200, b.c.config(cfg, hash))
}

// next moves on to the next request for a configuration, and returns the hash in it.
func (b *bench) next() string {
	b.t.Helper()
	b.certsThen()
	for range 200 {
		if req := b.asked("config"); req != nil {
			e, fault := eveapi.ParseEnvelope(req.Body)
			if fault != nil {
				b.t.Fatal(fault)
			}
			hash, _, err := eveapi.ParseConfigRequest(e.Payload)
			if err != nil {
				b.t.Fatal(err)
			}
			return hash
		}
		b.Advance(time.Second)
		b.certsThen()
	}
	b.t.Fatalf("no request for a configuration in 200 s: %+v", b.status())
	return ""
}

func (b *bench) status() node.ZedAgentStatus {
	if s := rig.Get(b.Rig, node.ZedAgent, "zedagent"); s != nil {
		return *s
	}
	return node.ZedAgentStatus{}
}

func (b *bench) led() node.LedBlinkCount {
	if l := rig.Get(b.Rig, node.Led.Of("zedagent"), "ledconfig"); l != nil {
		return l.BlinkCounter
	}
	return 0
}

func (b *bench) items() *config.ConfigItemValueMap {
	return rig.Get(b.Rig, config.Items, entity.Global)
}

// ready is a device that is onboarded and online, with the controller's certificates.
func ready(t testing.TB) *bench {
	b := newBench(t)
	b.boot(node.BootReasonFirst)
	b.online()
	b.certsThen()
	return b
}
