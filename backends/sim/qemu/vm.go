package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/child"
)

// DefaultProgram is the emulator for amd64 guests.
const DefaultProgram = "qemu-system-x86_64"

// Limits of the ways out, each the step after the one before it failed.
const (
	// quitLimit is how long QEMU may take to end after the monitor's quit.
	quitLimit = 5 * time.Second
	// termLimit is how long it may take after SIGTERM; then comes SIGKILL.
	termLimit = 5 * time.Second
	// bootLimit gives a boot slot back even if the guest never says that it is up.
	bootLimit = 60 * time.Second
)

// Options of Launch.
type Options struct {
	// Spec is the guest. Launch adds the console and a monitor of its own to it.
	Spec Spec
	// Program is QEMU; empty means DefaultProgram on PATH.
	Program string
	// Console takes every byte of the guest's serial port, from the first. A writer that blocks
	// holds up the guest's output, nothing is thrown away. Nil means nobody listens.
	Console io.Writer
	// Booted is what the guest writes on its console when it is up; then its boot slot is free
	// for the next. Empty gives the slot back only at the limit of 60 s or the guest's end.
	Booted string
	// Slots bound how many guests boot at a time; nil means no bound.
	Slots *Slots
	// OnEvent is called for each monitor event, in order. It must return soon and must not call
	// methods of the VM.
	OnEvent func(Event)
}

// End is how a guest ended.
type End struct {
	// Requested says that we wanted it: Shutdown or Destroy was called before the guest was
	// down. The events alone do not tell, a guest that obeys looks like one that acted itself.
	Requested bool
	// Reason is QMP's: guest-shutdown, guest-reset, host-qmp-quit, host-signal; empty when QEMU
	// ended without telling.
	Reason string
	// Err is how QEMU ended if that was not in order.
	Err error
}

// VM is a guest and its QEMU process.
type VM struct {
	name    string
	process *child.Process
	monitor *Client
	console *console
	slots   *Slots
	done    chan struct{}
	down    chan struct{}
	end     End

	mu        sync.Mutex
	requested bool
	reason    string
	onEvent   func(Event)
	release   func()
}

// Launch starts QEMU with the guest paused before its first instruction. When it returns, the
// console is being read and the monitor followed.
func Launch(ctx context.Context, opts Options) (*VM, error) {
	pairs, err := newPairs(2)
	if err != nil {
		return nil, fmt.Errorf("launch guest %s: %w", opts.Spec.Name, err)
	}
	defer pairs.closeTheirs()
	spec := opts.Spec
	spec.Console = Socket{File: pairs.theirs[0]}
	spec.Monitors = append([]Socket{{File: pairs.theirs[1]}}, spec.Monitors...)
	command, err := spec.Command()
	if err != nil {
		pairs.closeOurs()
		return nil, err
	}
	program := opts.Program
	if program == "" {
		program = DefaultProgram
	}
	process, err := child.Start(child.Options{
		Name: "qemu " + spec.Name, Path: program, Args: command.Args, Files: command.Files,
	})
	if err != nil {
		pairs.closeOurs()
		return nil, err
	}
	// Descriptors we keep open on QEMU's side would hide its end from the readers.
	pairs.closeTheirs()
	vm := &VM{
		name: spec.Name, process: process, slots: opts.Slots, onEvent: opts.OnEvent,
		done: make(chan struct{}), down: make(chan struct{}), release: func() {},
	}
	vm.console = newConsole(pairs.ours[0], opts.Console, opts.Booted, vm.booted)
	vm.monitor, err = NewClient(ctx, pairs.ours[1], vm.event)
	if err != nil {
		_ = process.Kill()
		<-vm.console.done
		if words := process.LastWords(); words != "" {
			err = errors.New(words)
		}
		return nil, fmt.Errorf("launch guest %s: %w", spec.Name, err)
	}
	go vm.attend()
	return vm, nil
}

// event follows the guest's life on the monitor's goroutine.
func (vm *VM) event(e Event) {
	if e.Name == "SHUTDOWN" {
		var data struct {
			Reason string `json:"reason"`
		}
		_ = json.Unmarshal(e.Data, &data)
		vm.mu.Lock()
		first := vm.reason == ""
		if first {
			vm.reason = data.Reason
			vm.end.Requested = vm.requested
		}
		vm.mu.Unlock()
		if first {
			close(vm.down)
		}
	}
	if vm.onEvent != nil {
		vm.onEvent(e)
	}
}

// attend reaps a guest that has powered off, and waits for QEMU's end.
func (vm *VM) attend() {
	select {
	case <-vm.down:
		_ = vm.quit(context.Background())
	case <-vm.process.Done():
	}
	<-vm.process.Done()
	<-vm.monitor.Done()
	<-vm.console.done
	vm.booted()
	vm.mu.Lock()
	if vm.reason == "" {
		vm.end.Requested = vm.requested
	}
	vm.end.Reason = vm.reason
	if !vm.end.Requested || vm.reason == "" {
		vm.end.Err = vm.process.Err()
	}
	vm.mu.Unlock()
	close(vm.done)
}

// booted gives the boot slot back.
func (vm *VM) booted() {
	vm.mu.Lock()
	release := vm.release
	vm.mu.Unlock()
	release()
}

// Resume lets the guest run. A guest that is not up yet waits for a boot slot first.
func (vm *VM) Resume(ctx context.Context) error {
	if !vm.console.found() {
		release, err := vm.slots.take(ctx)
		if err != nil {
			return fmt.Errorf("resume guest %s: %w", vm.name, err)
		}
		timer := time.AfterFunc(bootLimit, release)
		vm.mu.Lock()
		vm.release = func() { timer.Stop(); release() }
		vm.mu.Unlock()
	}
	if err := vm.monitor.Execute(ctx, "cont", nil, nil); err != nil {
		vm.booted()
		return fmt.Errorf("resume guest %s: %w", vm.name, err)
	}
	return nil
}

// Pause stops the guest's processors.
func (vm *VM) Pause(ctx context.Context) error {
	if err := vm.monitor.Execute(ctx, "stop", nil, nil); err != nil {
		return fmt.Errorf("pause guest %s: %w", vm.name, err)
	}
	return nil
}

// State returns what the guest is doing. A guest whose process has ended is Halted.
func (vm *VM) State(ctx context.Context) (State, error) {
	var status struct {
		Status string `json:"status"`
	}
	err := vm.monitor.Execute(ctx, "query-status", nil, &status)
	select {
	case <-vm.process.Done():
		return Halted, nil
	default:
	}
	if errors.Is(err, ErrMonitorClosed) {
		return Halting, nil
	}
	if err != nil {
		return Broken, fmt.Errorf("guest %s: %w", vm.name, err)
	}
	return StateOf(status.Status), nil
}

// PowerDown presses the power button and waits for the guest to be gone, or for the end of ctx,
// which leaves the guest as it is: it was asked, and may still obey. How a guest ends that was
// asked counts as requested.
func (vm *VM) PowerDown(ctx context.Context) error {
	vm.request()
	err := vm.monitor.Execute(ctx, "system_powerdown", nil, nil)
	var refused *CommandError
	if errors.As(err, &refused) {
		return fmt.Errorf("power guest %s down: %w", vm.name, err)
	}
	select { // a monitor that does not take the command is that of a guest about to go
	case <-vm.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("power guest %s down: %w", vm.name, ctx.Err())
	}
}

// Shutdown presses the power button, waits as long as grace for the guest to power off, and
// destroys one that does not. It returns when the guest is gone. A context that ends shortens
// the wait, not the work.
func (vm *VM) Shutdown(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if vm.PowerDown(ctx) == nil {
		return nil
	}
	return vm.Destroy()
}

// Destroy ends the guest at once: stop and quit on the monitor, after 5 s SIGTERM, after 5 more
// SIGKILL. It returns when the process is gone, and an error only if it cannot be ended.
func (vm *VM) Destroy() error {
	vm.request()
	err := vm.quit(context.Background())
	<-vm.done
	return err
}

// quit ends the QEMU process and returns when it is gone.
func (vm *VM) quit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, quitLimit)
	defer cancel()
	_ = vm.monitor.Execute(ctx, "stop", nil, nil)
	_ = vm.monitor.Execute(ctx, "quit", nil, nil)
	select {
	case <-vm.process.Done():
		return nil
	case <-ctx.Done():
		return vm.process.Stop(termLimit)
	}
}

// request notes that we want the guest to end.
func (vm *VM) request() {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	vm.requested = true
}

// Done returns a channel that is closed when the guest is gone and its last console byte was
// written.
func (vm *VM) Done() <-chan struct{} { return vm.done }

// End returns how the guest ended. It is the zero End until Done is closed.
func (vm *VM) End() End {
	select {
	case <-vm.done:
		return vm.end
	default:
		return End{}
	}
}

// PID returns QEMU's process id.
func (vm *VM) PID() int { return vm.process.PID() }

// Monitor returns the guest's monitor for commands this package has no method for.
func (vm *VM) Monitor() *Client { return vm.monitor }
