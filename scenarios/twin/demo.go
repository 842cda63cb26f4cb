package twin

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/fleet"
)

// DemoPort is the port of the device at which the bundled application answers.
const DemoPort = 8080

// PublishDemo puts the bundled application into the registry. With guests that are models its
// place is taken by a small image that nobody runs.
func (l *Live) PublishDemo(ctx context.Context, repository, tag string) error {
	img, err := l.demo(ctx, tag)
	if err != nil {
		return fmt.Errorf("make the image %s:%s: %w", repository, tag, err)
	}
	l.Content.PutImage(repository, tag, img)
	return nil
}

func (l *Live) demo(ctx context.Context, tag string) (data.Image, error) {
	if l.Hyper == Model {
		return data.ImageSpec{Arch: "amd64", Entrypoint: []string{"/web"}, Files: []data.File{
			{Path: "web", Mode: 0o755, Body: []byte("a model of the application " + tag)}}}.Build()
	}
	from, err := guest.DemoServed(ctx, l.o.Cache)
	if err != nil {
		return data.Image{}, err
	}
	return data.Image{Manifest: from.Manifest, MediaType: from.MediaType, Blobs: from.Blobs}, nil
}

// Poll is how often devices of real time ask for their configuration, so that who changes one does
// not wait for a minute; it is the shortest time a device takes.
const Poll = 5 * time.Second

// QuickPolls has a device ask for its configuration as often as it may.
func QuickPolls(d *fleet.Draft) *fleet.Draft {
	return d.Item("timer.config.interval", strconv.Itoa(int(Poll/time.Second)))
}

// DemoDraft is the configuration of a first run: two ports with DHCP, a network, and the bundled
// application from the bundled registry, reached at DemoPort.
func DemoDraft(seed string) *fleet.Draft {
	return QuickPolls(fleet.NewDraft(seed)).MgmtPort("eth0", 0).MgmtPort("eth1", 1).
		Registry("registry", Registry).
		Image(fleet.Image{Name: "web", Store: "registry", URL: "web:1"}).
		Volume(fleet.Volume{Name: "web", Image: "web"}).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
		App(fleet.App{Name: "web", MemoryKB: 128 << 10, Volumes: []string{"web"},
			Interfaces: []fleet.Interface{{Network: "lan", Rules: []fleet.Rule{
				fleet.AllowAll(), fleet.MapPort("tcp", DemoPort, guest.DemoPort)}}}})
}
