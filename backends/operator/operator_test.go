package operator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/operator"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clerk answers requests for servers; others wait.
type clerk struct {
	requests *bus.Sub[device.RequestSeen]
	answer   *agent.Calls[device.AnswerReq, device.None]
}

func newClerk(p bus.Port) agent.Agent {
	return &clerk{bus.Subscribe(p, device.Requests), agent.Use(p, device.Answer)}
}

func (c *clerk) Step(*agent.Turn) {
	for id, q := range c.requests.All() {
		if q.Kind == device.SetServer {
			c.answer.Want(id, device.AnswerReq{ID: id, OK: q.Server == "good", Text: id,
				Fields: []device.FieldError{{Field: "server", Text: q.Server}}})
		}
	}
	c.answer.Keep(func(id string) bool { return c.requests.Get(id) != nil })
}

// desk is a device with the part alone.
type desk struct {
	*operator.Part
	dev *live.Device
}

// Wire makes the hardware of a boot.
func (d *desk) Wire(k *host.Kernel, _ host.Machine) { d.Part.Wire(k) }

// Cut ends a boot.
func (d *desk) Cut(func(string) uint64) { d.Part.Cut() }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{Part: &operator.Part{}}
	var err error
	d.dev, err = live.New(live.Options{Name: "desk", Seed: 1, Hardware: d, Agents: []agent.Entry{
		{Name: "monitor", New: newClerk}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.dev.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) loop(ctx context.Context, f func()) error {
	return d.dev.Do(ctx, func(*host.Kernel) { f() })
}

func (d *desk) asks(t *testing.T, q device.RequestSeen) (operator.Answer, error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	return d.Wait(ctx, d.loop, q)
}

func TestAnswersGoToWhoAsked(t *testing.T) {
	d := newDesk(t)
	good, err := d.asks(t, device.RequestSeen{Kind: device.SetServer, Server: "good"})
	if err != nil || !good.OK || good.Text != "000001-000001" {
		t.Errorf("answered %+v, %v", good, err)
	}
	bad, err := d.asks(t, device.RequestSeen{Kind: device.SetServer, Server: "bad"})
	if err != nil || bad.OK || bad.Text != "000001-000002" || len(bad.Fields) != 1 ||
		bad.Fields[0].Text != "bad" {
		t.Errorf("answered %+v, %v", bad, err)
	}
	for range 2 * device.MaxRequests { // none that was answered stays
		if _, err := d.asks(t, device.RequestSeen{Kind: device.SetServer}); err != nil {
			t.Fatal(err)
		}
	}
}

// Requests that wait are bounded, a boot ends them all, and the next boot knows nothing of them.
func TestRequestsThatWaitEndWithTheBoot(t *testing.T) {
	d := newDesk(t)
	answers := make(chan operator.Answer, device.MaxRequests)
	var refused error
	err := d.loop(t.Context(), func() {
		for range device.MaxRequests {
			if err := d.Ask(device.RequestSeen{Kind: device.Revert}, func(a operator.Answer) {
				answers <- a
			}); err != nil {
				t.Error(err)
			}
		}
		refused = d.Ask(device.RequestSeen{Kind: device.Revert}, nil)
	})
	if err != nil || !errors.Is(refused, operator.ErrBusy) {
		t.Fatalf("one more: %v, %v", refused, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := d.Wait(ctx, func(_ context.Context, f func()) error { return d.loop(t.Context(), f) },
		device.RequestSeen{Kind: device.Revert}); !errors.Is(err, operator.ErrBusy) {
		t.Errorf("one more: %v", err)
	}
	if err := d.loop(t.Context(), func() { d.dev.Reboot(0) }); err != nil {
		t.Fatal(err)
	}
	for range device.MaxRequests {
		if a := <-answers; a.OK || a.Text == "" {
			t.Errorf("answered %+v", a)
		}
	}
	a, err := d.asks(t, device.RequestSeen{Kind: device.SetServer, Server: "good"})
	if err != nil || !a.OK || a.Text != "000002-000001" {
		t.Errorf("after the boot: %+v, %v", a, err)
	}
}

func TestNobodyAsksADeviceThatIsOff(t *testing.T) {
	p := &operator.Part{}
	if err := p.Ask(device.RequestSeen{}, nil); !errors.Is(err, operator.ErrOff) {
		t.Errorf("%v", err)
	}
	p.Cut()
}
