package client

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a001"

// controller is the other side.
type controller struct{ *cloud.Controller }

func (c controller) uuid(id string) []byte {
	b, err := eveapi.UUIDResponseBody(eveapi.Identity{
		UUID: id, Manufacturer: "ACME", Product: "Box/1"})
	if err != nil {
		panic(err)
	}
	return c.Seal(b)
}

// bench is a device with one agent, and the files of its disk.
type bench struct {
	*rig.Rig
	t     *testing.T
	c     controller
	files map[string][]byte
	// wrote lists the paths written, in order.
	wrote []string
}

// newBench has a device with a working network, its keys and its controller's name.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Rig: rig.New(t, "zedclient", New), t: t, c: controller{cloud.New(t)},
		files: map[string][]byte{}}
	b.boot(true)
	return b
}

// boot puts what is there after each start of the device.
func (b *bench) boot(onboardKey bool) {
	b.put("/config/server", []byte("zed.example\n"))
	b.put(rootFile, b.c.Root.PEM)
	b.put(softFile, []byte("soft-1\n"))
	rig.Complete(b.Rig, store.Files)
	b.key(tpm.Device)
	if onboardKey {
		b.key(tpm.Onboard)
	}
	rig.Complete(b.Rig, tpm.Keys)
	rig.Put(b.Rig, hyper.Host, hyper.HostSeen{Serial: "SN7", Manufacturer: "M", Product: "P"})
	b.network(network.DPCSuccess, "10.0.0.5")
}

func (b *bench) key(name string) {
	cert := cloud.Issue(b.t, nil, name, false)
	rig.Put(b.Rig, tpm.Keys, tpm.KeySeen{Name: name, CertPEM: string(cert.PEM)})
}

func (b *bench) network(s network.DPCState, addrs ...string) {
	rig.Put(b.Rig, network.DNS, cloud.Network(s, addrs...))
}

func (b *bench) put(path string, data []byte) {
	b.files[path] = data
	sum := sha256.Sum256(data)
	rig.Put(b.Rig, store.Files, store.FileSeen{Path: path, Size: int64(len(data)),
		Sha256: hex.EncodeToString(sum[:])})
}

// settle carries out everything but web.Send.
func (b *bench) settle() {
	b.t.Helper()
	b.Step()
	for range 5 {
		for _, c := range rig.Calls(b.Rig, store.Read) {
			rig.Done(b.Rig, store.Read, c.Key, store.ReadRes{Data: b.files[c.Req.Path]})
		}
		for _, c := range rig.Calls(b.Rig, store.Write) {
			if old := b.files[c.Req.Path]; c.Req.Backup && old != nil {
				b.put(c.Req.Path+".bak", old)
			}
			b.put(c.Req.Path, c.Req.Data)
			b.wrote = append(b.wrote, c.Req.Path)
			rig.Done(b.Rig, store.Write, c.Key, store.None{})
		}
		cloud.Signed(b.Rig)
		b.Step()
	}
}

// asks is the endpoint of the request under way, "" if there is none.
func (b *bench) asks() string {
	b.settle()
	calls := rig.Calls(b.Rig, web.Send)
	if len(calls) == 0 {
		return ""
	}
	return calls[0].Req.URL[strings.LastIndex(calls[0].Req.URL, "/")+1:]
}

// expect fails unless the given endpoint is asked now, and gives the request.
func (b *bench) expect(endpoint string) web.SendReq {
	b.t.Helper()
	if got := b.asks(); got != endpoint {
		b.t.Fatalf("asks %q, want %q; %+v", got, endpoint, b.status())
	}
	if endpoint == "" {
		return web.SendReq{}
	}
	return rig.Calls(b.Rig, web.Send)[0].Req
}

// answer ends the request under way.
func (b *bench) answer(endpoint string, code int, body []byte) {
	b.t.Helper()
	b.expect(endpoint)
	res := web.SendRes{Code: code, Body: body, WithTLS: true}
	if body != nil {
		res.Header = []web.Header{{Name: "Content-Type", Value: eveapi.ContentType}}
	}
	rig.Done(b.Rig, web.Send, endpoint, res)
	b.settle()
}

func (b *bench) fail(endpoint, fault string) {
	b.t.Helper()
	b.expect(endpoint)
	rig.Fail(b.Rig, web.Send, endpoint, agent.Fault{Code: fault, Text: fault, Retry: true})
	b.settle()
}

func (b *bench) status() node.ClientStatus {
	if s := rig.Get(b.Rig, node.Client, entity.Global); s != nil {
		return *s
	}
	return node.ClientStatus{}
}

func (b *bench) led() node.LedBlinkCount {
	if l := rig.Get(b.Rig, node.Led.Of("zedclient"), "ledconfig"); l != nil {
		return l.BlinkCounter
	}
	return 0
}

func (b *bench) uuid() string {
	if o := rig.Get(b.Rig, node.Onboarding, entity.Global); o != nil {
		return o.DeviceUUID
	}
	return ""
}

func (b *bench) onboard() {
	b.t.Helper()
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("register", 201, nil)
	b.answer("uuid", 200, b.c.uuid(deviceID))
}
