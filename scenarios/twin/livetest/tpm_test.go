package livetest_test

import (
	"context"
	"crypto/ecdsa"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// childOf reads a line of labtest.Offspring.
func childOf(line, program string) (pid int, found bool) {
	number, command, _ := strings.Cut(line, " ")
	pid, err := strconv.Atoi(number)
	return pid, err == nil && strings.Contains(command, program)
}

// tap notes what goes to the controller.
type tap struct {
	mu    sync.Mutex
	sent  map[string][]byte // last body by the end of the path
	codes map[int]int
}

// listen puts a tap in front of the device's transport.
func listen(b *bench) *tap {
	p := &tap{sent: map[string][]byte{}, codes: map[int]int{}}
	inner := b.Board.Web.Real
	b.Board.Web.Real = func(host string) (web.Transport, bool) {
		t, ok := inner(host)
		if !ok || host != twin.Server {
			return t, ok
		}
		return &tapped{t, p}, true
	}
	return p
}

// tapped is a transport with a tap.
type tapped struct {
	web.Transport
	to *tap
}

// Do notes what another transport sends.
func (x *tapped) Do(ctx context.Context, r *device.SendReq, roots []string) (
	device.SendRes, *agent.Fault,
) {
	res, fault := x.Transport.Do(ctx, r, roots)
	x.to.mu.Lock()
	defer x.to.mu.Unlock()
	if r.Method == http.MethodPost {
		x.to.sent[r.URL[strings.LastIndex(r.URL, "/")+1:]] = r.Body
	}
	x.to.codes[res.Code]++
	return res, fault
}

// TestDeviceKeyIsInTheTPM compares the certificate that the controller has with the key in swtpm,
// which never leaves it, and has that key verify what the device sent.
func TestDeviceKeyIsInTheTPM(t *testing.T) {
	b := newBench(t, nil)
	p := listen(b)
	b.draft.RemoveApp("web")
	version := b.config()
	b.Start()
	b.inForce(version)
	var pem []byte
	err := b.Server.Do(func(c *controllersim.Controller) {
		if d, ok := c.Fleet().ByName(name); ok {
			pem = d.CertPEM()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := eveapi.ParseDeviceCert(pem)
	if err != nil {
		t.Fatalf("the controller has no certificate of the device: %v", err)
	}
	key, err := b.Chip.OpenKey(tpm.DeviceKeyHandle)
	if err != nil {
		t.Fatal(err)
	}
	if !cert.Key.Equal(key.Public()) {
		t.Error("the certificate is of another key than the one in the TPM")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	body := p.sent["config"]
	e, fault := eveapi.ParseEnvelope(body)
	if fault != nil {
		t.Fatalf("what was sent to ask for the configuration is no envelope: %v", fault)
	}
	digest := eveapi.Digest(e.Payload)
	r, s := new(big.Int).SetBytes(e.Signature[:32]), new(big.Int).SetBytes(e.Signature[32:])
	if len(e.Signature) != 64 || !ecdsa.Verify(key.Public(), digest[:], r, s) {
		t.Errorf("the signature %x does not verify with the key in the TPM", e.Signature)
	}
	digest[0] ^= 1
	if ecdsa.Verify(key.Public(), digest[:], r, s) {
		t.Error("the signature verifies for something else")
	}
}

// TestKilledTPMHeals kills swtpm under a running device: what it sends is signed all the same.
func TestKilledTPMHeals(t *testing.T) {
	b := newBench(t, nil)
	p := listen(b)
	b.draft.RemoveApp("web")
	version := b.config()
	b.Start()
	b.inForce(version)
	kill(t, b.Chip.PID())
	b.inForce(b.config())
	if n := b.Chip.Starts(); n != 2 {
		t.Errorf("swtpm was started %d times, want 2", n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for code, n := range p.codes { //order: each stands alone
		if code >= 400 {
			t.Errorf("the controller answered %d %d times", code, n)
		}
	}
}
