package twin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

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
	if l.Hyper == "model" {
		return data.ImageSpec{Arch: "amd64", Entrypoint: []string{"/web"}, Files: []data.File{
			{Path: "web", Mode: 0o755, Body: []byte("a model of the application " + tag)}}}.Build()
	}
	from, err := guest.DemoImage(ctx, l.o.Cache)
	if err != nil {
		return data.Image{}, err
	}
	return convert(from)
}

// convert reads an image into the form of the registry.
func convert(from v1.Image) (data.Image, error) {
	manifest, err := from.RawManifest()
	if err != nil {
		return data.Image{}, err
	}
	var m struct {
		MediaType string `json:"mediaType"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return data.Image{}, err
	}
	config, err := from.RawConfigFile()
	if err != nil {
		return data.Image{}, err
	}
	out := data.Image{Manifest: manifest, MediaType: m.MediaType, Blobs: [][]byte{config}}
	layers, err := from.Layers()
	if err != nil {
		return data.Image{}, err
	}
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			return data.Image{}, err
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return data.Image{}, err
		}
		out.Blobs = append(out.Blobs, b)
	}
	return out, nil
}

// DemoDraft is the configuration of a first run: two ports with DHCP, a network, and the bundled
// application from the bundled registry, reached at DemoPort.
func DemoDraft(seed string) *fleet.Draft {
	return fleet.NewDraft(seed).MgmtPort("eth0", 0).MgmtPort("eth1", 1).
		Registry("registry", Registry).
		Image(fleet.Image{Name: "web", Store: "registry", URL: "web:1"}).
		Volume(fleet.Volume{Name: "web", Image: "web"}).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
		App(fleet.App{Name: "web", MemoryKB: 128 << 10, Volumes: []string{"web"},
			Interfaces: []fleet.Interface{{Network: "lan", Rules: []fleet.Rule{
				fleet.AllowAll(), fleet.MapPort("tcp", DemoPort, guest.DemoPort)}}}})
}
