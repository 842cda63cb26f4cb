package twin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/controllersim/store"
	"github.com/evetwin/evetwin/core/host/live"
)

// Registry is the name of the bundled registry in the simulated network.
const Registry = "registry.evetwin"

// Model as LiveOptions.Hyper or Tpm is the model; QEMU and SWTPM are the real parts.
const (
	Model = "model"
	QEMU  = "qemu"
	SWTPM = "swtpm"
)

// LiveOptions of a site and its devices in real time.
type LiveOptions struct {
	DeviceOptions
	// Dir keeps the state of controller and devices; it must exist.
	Dir string
	// Keep says that a later start goes on with what is in Dir: the same device, onboarded, with its
	// disk.
	Keep bool
	// Cache holds the guest kernel and built programs.
	Cache lab.Cache
	// Hyper is QEMU or Model; empty takes QEMU where it is installed. Tpm is SWTPM or Model,
	// likewise.
	Hyper, Tpm string
	// Others is how many further devices the controller has; their TPM and guests are models.
	Others int
	// OnOther makes the hooks of a further device; may be nil.
	OnOther func(name string) DeviceOptions
	// Shape completes the options of each device when the site stands; nil leaves them.
	Shape func(s *Site, o *DeviceOptions) error
	// Equip changes the hardware of each device before it boots; may be nil.
	Equip func(b *board.Board)
	// Console takes guests' consoles, by application; nil throws them away.
	Console func(app string) io.Writer
	// OnForward is told where a mapped port of an application listens on this machine; its protocol
	// is "tcp" or "udp".
	OnForward func(app, proto string, port uint16, at netip.AddrPort)
	// OnModel is told of each application whose guest is a model beside QEMU's, and why.
	OnModel func(app, why string)
}

// Live is a device in real time with its controller and datastores, on loopback.
type Live struct {
	Site    *Site
	Server  *httpd.Server
	Device  *live.Device
	Board   *board.Board
	Content *data.Store
	// Others are further devices of the controller.
	Others []*Other
	// Chip is the software TPM, nil where it is a model.
	Chip *swtpm.TPM
	// TokenFile holds the token of the controller's admin interface.
	TokenFile string
	// Hyper is "qemu-tcg", "qemu-kvm" or "model"; Tpm is "swtpm" or "model". Notes says why a part is
	// a model, a sentence each.
	Hyper, Tpm string
	Notes      []string

	o       LiveOptions
	machine machine           // what runs guests
	dial    map[string]string // real addresses of simulated hosts
	disks   []*keeper
	stop    context.CancelFunc
	running sync.WaitGroup
	ended   chan struct{}
	failed  error // how the device ended; read after ended
	once    sync.Once

	mu      sync.Mutex
	closers []func() error
}

// Other is a further device.
type Other struct {
	Name   string
	Device *live.Device
	Board  *board.Board
}

// NewLive starts controller and datastores and prepares the devices; Start boots them. What it
// starts lives until Close, whatever becomes of ctx.
func NewLive(ctx context.Context, o LiveOptions) (l *Live, err error) {
	if o.Name == "" {
		o.Name = "edge"
	}
	l = &Live{o: o, Hyper: Model, Tpm: Model, TokenFile: filepath.Join(o.Dir, "admin.token"),
		dial: map[string]string{}, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
			l = nil
		}
	}()
	var wrong [3]error
	var all sync.WaitGroup
	all.Go(func() { wrong[0] = l.outside() })
	all.Go(func() { wrong[1] = l.findQEMU(ctx) })
	all.Go(func() { wrong[2] = l.openTPM(ctx) })
	all.Wait()
	if err := errors.Join(append(wrong[:], ctx.Err())...); err != nil {
		return l, err
	}
	if err := l.identify(); err != nil {
		return l, err
	}
	if err := l.first(); err != nil {
		return l, err
	}
	for n := range o.Others {
		if err := l.further(n + 2); err != nil {
			return l, err
		}
	}
	return l, nil
}

// closing has f called by Close; the last one first.
func (l *Live) closing(f func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closers = append(l.closers, f)
}

func (l *Live) note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Notes = append(l.Notes, text)
}

// outside starts controller and registry.
func (l *Live) outside() (err error) {
	h := httpd.Options{Hosts: []string{Server}, TokenFile: l.TokenFile}
	if l.o.Keep {
		h.Store = store.NewFile(filepath.Join(l.o.Dir, "fleet.json"))
	}
	l.Server, err = httpd.Start(h)
	if err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	l.closing(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return l.Server.Close(ctx)
	})
	var site *Site
	if e := l.Server.Do(func(c *controllersim.Controller) {
		site, err = NewSite(SiteOptions{Controller: c})
	}); e != nil {
		err = e
	}
	if err != nil {
		return err
	}
	site.Real = map[string]bool{Server: true, Registry: true}
	l.Site = site
	u, err := hostOf(l.Server.URL())
	if err != nil {
		return err
	}
	l.dial[Server] = u
	return l.serveContent()
}

// Reach maps the names of the site's servers to where they listen on this machine. The registry
// speaks HTTP without TLS there.
func (l *Live) Reach() map[string]string { return maps.Clone(l.dial) }

// serveContent serves the registry and datastore on loopback.
func (l *Live) serveContent() error {
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
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(lis) }) // ends with ErrServerClosed, which says nothing
	l.closing(func() error {
		err := srv.Close()
		serving.Wait()
		return errors.Join(err, free())
	})
	l.dial[Registry] = lis.Addr().String()
	return nil
}

// Start boots the devices; they run until Close or their own power off.
func (l *Live) Start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	go func() {
		l.failed = l.Device.Run(ctx)
		close(l.ended)
	}()
	for _, d := range l.Others {
		// What ends a further device shows in the controller, which hears no more of it.
		l.running.Go(func() { _ = d.Device.Run(ctx) })
	}
}

// Ended is closed when the first device has ended, by its own power off or a failure; Close tells
// which.
func (l *Live) Ended() <-chan struct{} { return l.ended }

// Close ends the devices, their guests, datastores and controller; nothing is left behind but what
// is to be kept.
func (l *Live) Close() error {
	var err error
	l.once.Do(func() {
		switch {
		case l.stop != nil:
			l.stop()
			<-l.ended
			l.running.Wait()
			err = l.failed
		default:
			l.free()
		}
		for _, k := range l.disks {
			err = errors.Join(err, k.close())
		}
		for i := len(l.closers) - 1; i >= 0; i-- {
			err = errors.Join(err, l.closers[i]())
		}
	})
	return err
}

// free gives back what devices have that never ran.
func (l *Live) free() {
	if l.Device != nil {
		l.Device.Close()
	}
	for _, d := range l.Others {
		d.Device.Close()
	}
}
