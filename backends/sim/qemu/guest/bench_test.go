package guest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/backends/sim/qemu/usernet"
)

// uuid is the application of these tests.
const uuid = "5b1a5b1a-0000-4000-8000-0000000000d1"

// bench is a machine with a network and room for one guest.
type bench struct {
	t       *testing.T
	machine guest.Machine
	network *usernet.Network
	forward *usernet.Forward
	mac     net.HardwareAddr
	ip      netip.Addr
}

// demoAnswer is what the demo application tells.
type demoAnswer struct {
	BootID   string            `json:"boot_id"`
	UptimeS  float64           `json:"uptime_s"`
	Kernel   string            `json:"kernel"`
	Hostname string            `json:"hostname"`
	Dir      string            `json:"dir"`
	UID      int               `json:"uid"`
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`
}

func newBench(t *testing.T) *bench {
	t.Helper()
	labtest.Program(t, qemu.DefaultProgram)
	b := &bench{t: t, mac: net.HardwareAddr{2, 0x16, 0x3e, 0, 0, 1},
		ip:      netip.MustParseAddr("10.1.0.5"),
		machine: guest.Machine{Cache: labtest.Cache(), Kernel: labtest.Kernel(t)}}
	var err error
	b.network, err = usernet.New(usernet.Options{
		Name: "test", Subnet: netip.MustParsePrefix("10.1.0.0/24"), Domain: "app.local"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.network.Close(); err != nil {
			t.Error(err)
		}
		if left := labtest.Offspring(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	if err := b.network.AddGuest(usernet.Guest{MAC: b.mac, IP: b.ip}); err != nil {
		t.Fatal(err)
	}
	b.forward, err = b.network.Forward(netip.MustParseAddrPort("127.0.0.1:0"),
		netip.AddrPortFrom(b.ip, guest.DemoPort))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMain checks that no goroutine is left: not a reader, not a supervisor, not a network.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root prepares an image's root.
func (b *bench) root(image guest.Image, opts guest.RootOptions) guest.Root {
	b.t.Helper()
	if opts.Dir == "" {
		opts.Dir = filepath.Join(b.t.TempDir(), "root")
	}
	root, err := guest.Prepare(b.t.Context(), image, opts)
	if err != nil {
		b.t.Fatal(err)
	}
	return root
}

// demo returns the bundled application's image.
func (b *bench) demo() guest.Image {
	b.t.Helper()
	made, err := guest.DemoImage(b.t.Context(), b.machine.Cache)
	if err != nil {
		b.t.Fatal(err)
	}
	image, err := guest.FromV1(made)
	if err != nil {
		b.t.Fatal(err)
	}
	return image
}

// console collects what a guest writes and tells when a text has come.
type console struct {
	mu    sync.Mutex
	text  bytes.Buffer
	waits map[string]chan struct{}
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(p)
	for text, wait := range c.waits {
		if bytes.Contains(c.text.Bytes(), []byte(text)) {
			close(wait)
			delete(c.waits, text)
		}
	}
	return len(p), nil
}

// Len returns how many bytes were written.
func (c *console) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Len()
}

// writerFunc makes a function a writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// discardLog is a log nobody reads.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// seen returns a channel that is closed when the text has been written.
func (c *console) seen(text string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := make(chan struct{})
	if bytes.Contains(c.text.Bytes(), []byte(text)) {
		close(wait)
		return wait
	}
	if c.waits == nil {
		c.waits = map[string]chan struct{}{}
	}
	c.waits[text] = wait
	return wait
}

// boot starts a guest and lets it run. Changes are made to its Spec before.
func (b *bench) boot(root guest.Root, start guest.Start, out *console,
	change ...func(*qemu.Options)) *qemu.VM {
	b.t.Helper()
	start.UUID = uuid
	parts, err := b.machine.Boot(b.t.Context(), root, start,
		filepath.Join(b.t.TempDir(), "initramfs"))
	if err != nil {
		b.t.Fatal(err)
	}
	cable, err := b.network.Attach()
	if err != nil {
		b.t.Fatal(err)
	}
	spec := qemu.Spec{Name: "test", UUID: uuid, MemoryMiB: 128, NoReboot: true,
		NICs: []qemu.NIC{{MAC: b.mac, Stream: qemu.Socket{File: cable}}}}
	parts.Fill(&spec)
	opts := qemu.Options{Spec: spec, Console: out, Booted: guest.Banner}
	for _, apply := range change {
		apply(&opts)
	}
	vm, err := qemu.Launch(b.t.Context(), opts)
	_ = cable.Close()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = vm.Destroy() })
	if err := vm.Resume(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return vm
}

// await waits for a channel, for a minute at most.
func (b *bench) await(what string, done <-chan struct{}, out *console) {
	b.t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		b.t.Fatalf("no %s within a minute; the console says:\n%s", what, out)
	}
}

// ask fetches the application's answer through the forward; the first connection waits until
// the guest is there. The demo says on the console when it listens.
func (b *bench) ask(out *console) demoAnswer {
	b.t.Helper()
	b.await("demo", out.seen("demo: listening"), out)
	var got demoAnswer
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true}}
	answer, err := client.Get("http://" + b.forward.Local().String() + "/")
	if err != nil {
		b.t.Fatalf("%v; the console says:\n%s", err, out)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		b.t.Fatal(err)
	}
	return got
}
