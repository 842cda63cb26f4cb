package tpm_test

import (
	"context"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// register is one that the agent measures into.
const register = 14

// eager is a device with an agent that asks the module in its first turn.
type eager struct {
	part    *tpm.Part
	machine host.Machine
	boots   int
	got     chan agent.Call[device.PCRsRes]
}

// Wire has the part on the device.
func (e *eager) Wire(k *host.Kernel, m host.Machine) {
	e.machine = m
	e.boots++
	e.part.Wire(k)
}

// Cut does nothing: the chip has a reset of its own.
func (e *eager) Cut(func(string) uint64) {}

// asker measures in the first boot, and reads the register in the second.
type asker struct {
	e      *eager
	extend *agent.Calls[device.ExtendReq, device.ExtendRes]
	pcrs   *agent.Calls[device.PCRsReq, device.PCRsRes]
}

func (e *eager) agent(p bus.Port) agent.Agent {
	return &asker{e, agent.Use(p, device.Extend), agent.Use(p, device.PCRs)}
}

// Step asks, whatever is known of the module.
func (a *asker) Step(*agent.Turn) {
	if a.e.boots == 1 {
		c := a.extend.Want("", device.ExtendReq{Register: register, Type: 13, Event: []byte("first")})
		if c.Phase == agent.Done {
			a.e.machine.Reboot(time.Millisecond)
		}
		return
	}
	if c := a.pcrs.Want("", device.PCRsReq{Registers: []uint32{register}}); c.Phase >= agent.Done {
		select {
		case a.e.got <- c:
		default:
		}
	}
}

// TestAskedBeforeTheReset asks the module while it is on its way through the reset that began the
// boot: the answer is that of the module of this boot.
func TestAskedBeforeTheReset(t *testing.T) {
	labtest.Program(t, "swtpm")
	sockets, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sockets.Close() }()
	chip, err := swtpm.Open(t.Context(), swtpm.Options{Dir: t.TempDir(), SocketDir: sockets.Path})
	if err != nil {
		t.Fatal(err)
	}
	e := &eager{got: make(chan agent.Call[device.PCRsRes], 1)}
	e.part = tpm.New(tpm.Options{TPM: chip.TPM, Kind: "swtpm", Files: tpm.Dir{Root: t.TempDir()},
		Reset: func(ctx context.Context) error {
			// Commands take turns: one that did not wait for the reset is among these.
			if _, err := chip.Within(ctx).Random(200 * 32); err != nil {
				return err
			}
			return chip.Reset(ctx)
		}})
	d, err := live.New(live.Options{Name: "eager", Seed: 1, Hardware: e,
		Agents: []agent.Entry{{Name: "vaultmgr", New: e.agent}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	select {
	case c := <-e.got:
		if c.Fault != nil || len(c.Res.PCRs) != 1 || c.Res.PCRs[0].Value != [32]byte{} {
			t.Errorf("register %d in the first turn of a boot: %+v", register, c)
		}
	case <-ctx.Done():
		t.Error("the module was not read")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	e.part.Halt()
	if err := chip.Close(); err != nil {
		t.Error(err)
	}
}
