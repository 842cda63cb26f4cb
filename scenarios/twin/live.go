package twin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/backends/sim/real"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/host/live"
)

// Registry is the name of the bundled registry in the simulated network.
const Registry = "registry.evetwin"

// LiveOptions of a site and a device in real time.
type LiveOptions struct {
	DeviceOptions
	// Dir keeps the state of controller and device; it must exist.
	Dir string
	// Cache holds the guest kernel and built programs.
	Cache lab.Cache
	// Hyper is "qemu" or "model"; empty takes QEMU where it is installed. Tpm is "swtpm" or "model",
	// likewise.
	Hyper, Tpm string
	// Console takes guests' consoles, by application; nil throws them away.
	Console func(app string) io.Writer
	// OnForward is told where a mapped port of an application listens on this machine.
	OnForward func(app string, port uint16, at netip.AddrPort)
}

// Live is a device in real time with its controller and datastores, on loopback.
type Live struct {
	Site    *Site
	Server  *httpd.Server
	Device  *live.Device
	Board   *board.Board
	Content *data.Store
	// Hyper is "qemu-tcg", "qemu-kvm" or "model"; Tpm is "swtpm" or "model". Notes says why a part is
	// a model, a sentence each.
	Hyper, Tpm string
	Notes      []string

	o       LiveOptions
	closers []func() error
	stop    context.CancelFunc
	ended   chan struct{}
	failed  error // how the device ended; read after ended
	once    sync.Once
}

// NewLive starts controller and datastores and prepares the device; Start boots it.
func NewLive(ctx context.Context, o LiveOptions) (l *Live, err error) {
	if o.Name == "" {
		o.Name = "edge"
	}
	l = &Live{o: o, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			l.Close()
			l = nil
		}
	}()
	l.Server, err = httpd.Start(httpd.Options{Hosts: []string{Server},
		TokenFile: filepath.Join(o.Dir, "admin.token")})
	if err != nil {
		return l, fmt.Errorf("start controller: %w", err)
	}
	l.closers = append(l.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return l.Server.Close(ctx)
	})
	var site *Site
	l.Server.Do(func(c *controllersim.Controller) { site, err = NewSite(SiteOptions{Controller: c}) })
	if err != nil {
		return l, err
	}
	site.Real = map[string]bool{Server: true, Registry: true}
	l.Site = site
	dial := map[string]string{Server + ":443": hostOf(l.Server.URL())}
	if err := l.serveContent(dial); err != nil {
		return l, err
	}
	if err := l.hardware(ctx, &real.HTTP{Dial: dial, Plain: map[string]bool{
		Registry + ":443": true, Registry + ":80": true}}); err != nil {
		return l, err
	}
	agents := o.Agents
	if agents == nil {
		agents = roster.Agents()
	}
	l.Device, err = live.New(live.Options{Name: o.Name, Seed: o.Seed, Agents: agents,
		Hardware: l.Board, Dir: filepath.Join(o.Dir, "device"),
		OnTurn: o.OnTurn, OnLine: o.OnLine, OnBoot: o.OnBoot})
	return l, err
}

func hostOf(url string) string {
	for i := len(url) - 1; i >= 0; i-- {
		if url[i] == '/' {
			return url[i+1:]
		}
	}
	return url
}

// serveContent serves the registry and datastore on loopback.
func (l *Live) serveContent(dial map[string]string) error {
	l.Content = data.New(data.Options{Host: Registry})
	h, free, err := l.Content.Server(data.ServerOptions{})
	if err != nil {
		return fmt.Errorf("start registry: %w", err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(fmt.Errorf("start registry: %w", err), free())
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(lis)
	l.closers = append(l.closers, func() error { return errors.Join(srv.Close(), free()) })
	for _, port := range []string{":80", ":443", ":5000"} {
		dial[Registry+port] = lis.Addr().String()
	}
	return nil
}

// hardware makes the board with the real parts that are to be had.
func (l *Live) hardware(ctx context.Context, transport *real.HTTP) error {
	o := &l.o
	l.Hyper, l.Tpm = "model", "model"
	tune := func(b board.Options) board.Options {
		b.Real = func(h string) (web.Transport, bool) {
			_, ok := transport.Dial[h+":443"]
			return transport, ok
		}
		return b
	}
	hyper, err := l.qemu(ctx)
	if err != nil {
		return err
	}
	chip, err := l.swtpm(ctx)
	if err != nil {
		return err
	}
	b, err := l.Site.board(o.DeviceOptions, time.Now, func(b board.Options) board.Options {
		b = tune(b)
		if chip != nil {
			b.Tpm = func(x *board.Board) board.Part {
				return &real.Tpm{TPM: chip.TPM, Kind: "swtpm", Disk: x.Disk}
			}
		}
		if hyper != nil {
			b.Hyper = func(x *board.Board) board.Part {
				hyper.Disk, hyper.Vifs = x.Disk, x.Bridge
				x.Bridge.Changed = hyper.Nets.Changed
				return hyper
			}
		}
		return b
	})
	if err != nil {
		return err
	}
	b.Boot.Off = time.Second
	if hyper != nil {
		b.OnCut = func() { hyper.Close(); hyper.Nets.Close() }
	}
	l.Board = b
	return nil
}

// qemu prepares the part hyper with real guests, nil if there are to be none.
func (l *Live) qemu(ctx context.Context) (*real.Hyper, error) {
	o := &l.o
	if o.Hyper == "model" {
		return nil, nil
	}
	kernel, err := lab.FindKernel(o.Cache)
	if err == nil {
		_, err = lab.Find(lab.DefaultQEMU)
	}
	if err != nil {
		if o.Hyper == "qemu" {
			return nil, fmt.Errorf("run guests in QEMU: %w", err)
		}
		l.Notes = append(l.Notes, "guests are models: "+err.Error())
		return nil, nil
	}
	v := lab.Prober{Cache: o.Cache}.Accel(ctx)
	l.Hyper = "qemu-" + v.Accel
	nets := real.NewNets()
	nets.OnForward = o.OnForward
	dir := filepath.Join(o.Dir, "guests")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	accel := qemu.TCG
	if v.Accel == lab.KVM {
		accel = qemu.KVM
	}
	h := &real.Hyper{Nets: nets, Machine: guest.Machine{Cache: o.Cache, Kernel: kernel}, Accel: accel,
		Why: v.Why, Dir: dir, Console: o.Console, MemoryMB: 8 << 10, CPUs: uint32(runtime.NumCPU())}
	l.closers = append(l.closers, func() error { h.Close(); nets.Close(); return nil })
	return h, nil
}

// swtpm starts the software TPM, nil if there is to be none.
func (l *Live) swtpm(ctx context.Context) (*swtpm.TPM, error) {
	o := &l.o
	if o.Tpm == "model" {
		return nil, nil
	}
	sock, err := lab.NewSocketDir()
	if err != nil {
		return nil, err
	}
	t, err := swtpm.Open(ctx, swtpm.Options{Dir: filepath.Join(o.Dir, "tpm"), SocketDir: sock.Path})
	if err != nil {
		sock.Close()
		if o.Tpm == "swtpm" {
			return nil, fmt.Errorf("start the software TPM: %w", err)
		}
		l.Notes = append(l.Notes, "the TPM is a model: "+err.Error())
		return nil, nil
	}
	l.Tpm = "swtpm"
	l.closers = append(l.closers, func() error { return errors.Join(t.Close(), sock.Close()) })
	return t, nil
}

// Start boots the device; it runs until Close or its own power off.
func (l *Live) Start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	go func() {
		l.failed = l.Device.Run(ctx)
		close(l.ended)
	}()
}

// Ended is closed when the device has ended, by its own power off or a failure; Close tells which.
func (l *Live) Ended() <-chan struct{} { return l.ended }

// Close ends the device, its guests, datastores and controller; nothing is left behind.
func (l *Live) Close() error {
	var err error
	l.once.Do(func() {
		if l.stop != nil {
			l.stop()
			<-l.ended
			err = l.failed
		}
		for i := len(l.closers) - 1; i >= 0; i-- {
			err = errors.Join(err, l.closers[i]())
		}
	})
	return err
}
