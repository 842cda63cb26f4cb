package linux

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/core/device/boot"
)

// device is a device that zedbox runs: its folder, its TPM, its processes.
type device struct {
	o      Options
	street *street
	folder *lab.SocketDir // whose path is short
	root   zedbox.Root
	chip   *swtpm.TPM

	mu      sync.Mutex
	run     *child.Process
	stopped bool // no reset is followed any more
	watched sync.WaitGroup
}

// machineFile says what the device stands on, rootsFile has the roots that its system trusts.
const (
	machineFile = "machine.json"
	rootsFile   = "roots.pem"
	diskFile    = "disk.img"
	logFile     = "zedbox.log"
	sysDir      = "sys"
)

// longest is the longest name of a socket below the folder: that of a guest's console.
const longest = len("run/zedbox/libvirt/12345678-1234-1234-1234-123456789012.1.12.console")

// newDevice makes a device that is off; config are its files of /config, roots those its system
// trusts.
func newDevice(ctx context.Context, o Options, s *street, config map[string][]byte, roots []byte,
) (d *device, err error) {
	d = &device{o: o, street: s}
	if d.folder, err = lab.NewRoomySocketDir(longest); err != nil {
		return nil, err
	}
	d.root = zedbox.Root(d.folder.Path)
	err = d.root.Make()
	for file, content := range config { //order: each goes to its own file
		if err == nil {
			err = os.WriteFile(filepath.Join(d.root.Config(), file), content, 0o600)
		}
	}
	if err == nil {
		err = os.WriteFile(d.path(rootsFile), roots, 0o600)
	}
	if err == nil {
		err = d.makeSys()
	}
	if err == nil {
		err = makeDisk(d.path(diskFile))
	}
	if err == nil {
		d.chip, err = swtpm.Open(ctx, swtpm.Options{Dir: d.path("tpm"), SocketDir: d.folder.Path})
	}
	if err == nil {
		err = d.describe()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make device %s: %w", name, err), d.close())
	}
	return d, nil
}

// path is a path below the device's folder, beside what it sees of it.
func (d *device) path(name string) string { return filepath.Join(string(d.root), name) }

// describe writes down what the device stands on.
func (d *device) describe() error {
	m := zedbox.Machine{Name: name, Space: d.street.device, TPM: d.path("tpm.sock"),
		TPMKind: "swtpm", ResolvConf: filepath.Join(d.root.Run(), "resolv.conf"),
		Disk: d.path(diskFile), Current: boot.ImgA, Roots: d.path(rootsFile),
		Cache: d.o.Cache.Dir, MemoryMB: memoryMB, Sys: d.path(sysDir), Lights: d.path("no-lights"),
		Lab: true}
	for _, c := range cables() {
		m.Ports = append(m.Ports, c.port)
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(d.path(machineFile), append(text, '\n'), 0o600)
}

// makeSys makes what the device finds in sysfs: what its firmware says, and no adapters.
func (d *device) makeSys() error {
	dmi := filepath.Join(d.path(sysDir), "class/dmi/id")
	err := errors.Join(os.MkdirAll(dmi, 0o700),
		os.MkdirAll(filepath.Join(d.path(sysDir), "bus/pci/devices"), 0o700))
	for file, text := range map[string]string{ //order: each goes to its own file
		"sys_vendor": "evetwin", "product_name": "lab", "product_serial": name} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dmi, file), []byte(text+"\n"), 0o600)
		}
	}
	return err
}

// start turns the device on; one that runs is left alone.
func (d *device) start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.launch()
}

// launch starts the processes; the caller holds mu.
func (d *device) launch() error {
	if d.run != nil || d.stopped {
		return nil
	}
	log, err := os.OpenFile(d.path(logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	says := io.Writer(log)
	if d.o.Log != nil {
		says = io.MultiWriter(log, d.o.Log)
	}
	command := zedbox.Steps
	if d.o.Whole {
		command = "all"
	}
	p, err := child.Start(child.Options{Name: "zedbox", Path: d.o.Program,
		Args:   []string{command, "--root", string(d.root), "--machine", d.path(machineFile)},
		Stderr: says})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	d.run = p
	d.watched.Go(func() {
		<-p.Done()
		_ = log.Close() // whose content is for people
		d.ended(p)
	})
	return nil
}

// off is how long a reset takes.
const off = time.Second

// ended follows a reset that the device asked for itself.
func (d *device) ended(p *child.Process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.run != p || d.stopped {
		return
	}
	d.run = nil
	if r, err := zedbox.ReadReset(d.root); err != nil || r == nil || r.Off {
		return
	}
	if d.cut(off) == nil {
		_ = d.launch() // that it is off is seen by all who wait for it
	}
}

// powerCut takes the power away and gives it back after a while.
func (d *device) powerCut(off time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.run; p != nil {
		d.run = nil
		if err := p.Kill(); err != nil {
			return err
		}
	}
	if err := d.cut(off); err != nil {
		return fmt.Errorf("cut the power: %w", err)
	}
	return d.launch()
}

// cut is what a machine without power forgets: processes, the network's configuration, /run, the
// registers of the TPM.
func (d *device) cut(off time.Duration) error {
	if err := d.kill(); err != nil {
		return err
	}
	err := errors.Join(d.street.tear(), os.RemoveAll(d.root.Run()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := d.chip.Reset(ctx); err != nil {
		return err
	}
	time.Sleep(off)
	return errors.Join(d.street.lay(), d.root.Make())
}

// close ends the device, its guests, and removes its folder.
func (d *device) close() error {
	d.mu.Lock()
	d.stopped = true
	p := d.run
	d.mu.Unlock()
	var errs []error
	if p != nil {
		errs = append(errs, p.Stop(30*time.Second))
	}
	d.watched.Wait()
	errs = append(errs, d.kill())
	if d.chip != nil {
		errs = append(errs, d.chip.Close())
	}
	return errors.Join(append(errs, d.folder.Close())...)
}
