package scenarios

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/lf-edge/eve-api/go/config"
)

// rows counts the rows of every table of a device.
func rows(d *scenario.D) (n int) {
	d.Machine().Read(func(k *host.Kernel) {
		for _, t := range k.Topics() {
			if h, ok := k.Head(t); ok {
				n += h.Len()
			}
		}
	})
	return n
}

// inState returns a function for Eventually: how many applications are in a state.
func inState(d *scenario.D, want entity.SwState) func() any {
	return func() any {
		n := 0
		for _, a := range scenario.Rows(d, app.Statuses) {
			if a.State == want {
				n++
			}
		}
		return n
	}
}

// vast gives a device memory for many guests.
func vast(d *scenario.D) { d.Twin().Board.Hyper.MemoryMB = 256 << 10 }

var fiftyApps = scenario.New("fifty-apps", func(s *scenario.S) {
	d := s.Device("edge")
	vast(d)
	d.Onboard()
	empty := rows(d)
	draft := web(s, d)
	for i := range 49 {
		another(draft, fmt.Sprintf("app%d", i), uint16(9000+i))
	}
	d.Apply(draft)
	s.Eventually(inState(d, entity.RUNNING), 20*time.Minute).Should(Equal(50))
	restart := d.Config().RestartApp("web")
	for i := range 49 {
		restart.RestartApp(fmt.Sprintf("app%d", i))
	}
	d.Apply(restart)
	s.Wait(10 * time.Minute)
	s.Eventually(inState(d, entity.RUNNING), 20*time.Minute).Should(Equal(50))
	remove := d.Config().RemoveApp("web").RemoveVolume("web").RemoveImage("web").RemoveNetwork("lan")
	for i := range 49 {
		name := fmt.Sprintf("app%d", i)
		remove.RemoveApp(name).RemoveVolume(name)
	}
	d.Apply(remove)
	s.Eventually(left(d), 20*time.Minute).Should(Equal(
		"0 domains, 0 networks of applications, 0 volumes, 0 content trees"))
	s.Wait(3 * time.Hour) // numbers are kept for a while, content until it is collected
	if n := rows(d); n > empty+60 {
		s.Fail("an empty device had %d rows in all tables, now has %d", empty, n)
	}
}, scenario.Slow())

// layered is an image of several small layers that no other has.
func layered(s *scenario.S, name string, layers int) data.Image {
	img, err := data.ImageSpec{Arch: "amd64", Entrypoint: []string{"/web"}, Files: []data.File{
		{Path: "web", Body: []byte(name), Mode: 0o755}}}.Build()
	s.Must(err)
	m := map[string]any{}
	s.Must(json.Unmarshal(img.Manifest, &m))
	list := m["layers"].([]any)
	for i := range layers - 1 {
		blob := fmt.Appendf(nil, "layer %d of %s", i, name)
		list = append(list, map[string]any{"size": len(blob),
			"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
			"digest":    fmt.Sprintf("sha256:%x", sha256.Sum256(blob))})
		img.Blobs = append(img.Blobs, blob)
	}
	m["layers"] = list
	img.Manifest, err = json.Marshal(m)
	s.Must(err)
	return img
}

var manyBlobs = scenario.New("many-blobs", func(s *scenario.S) {
	d := s.Device("edge")
	vast(d)
	d.Onboard()
	draft := ports(d).Registry("registry", scenario.Registry).
		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"})
	const images, layers = 25, 7
	for i := range images {
		name := fmt.Sprintf("app%d", i)
		s.Site().Store(scenario.Registry).PutImage(name, "1", layered(s, name, layers))
		draft.Image(fleet.Image{Name: name, Store: "registry", URL: name + ":1"}).
			Volume(fleet.Volume{Name: name, Image: name}).App(webApp(name, "lan", uint16(9000+i)))
	}
	d.Apply(draft)
	s.Eventually(inState(d, entity.RUNNING), 20*time.Minute).Should(Equal(images))
	if n, want := len(scenario.Rows(d, content.Blobs)), images*(2+layers); n != want {
		s.Fail("%d blobs, want %d", n, want)
	}
}, scenario.Slow())

var manyNetworks = scenario.New("many-networks", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	draft := d.Config()
	for i := range 199 {
		draft.LocalNetwork(fleet.LocalNetwork{Name: fmt.Sprintf("net%d", i), Port: "uplink",
			Subnet: fmt.Sprintf("10.20.%d.0/24", i)})
	}
	d.Apply(draft)
	s.Eventually(func() any {
		n := 0
		for _, r := range scenario.Rows(d, network.InstanceStatus) {
			if r.Activated && r.NetworkErr.Error == "" {
				n++
			}
		}
		return n
	}, 20*time.Minute).Should(Equal(200))
	unharmed(s, d, booted, "two hundred networks")
	for i := range 199 {
		draft.RemoveNetwork(fmt.Sprintf("net%d", i))
	}
	d.Apply(draft)
	s.Eventually(func() any { return len(scenario.Rows(d, network.InstanceStatus)) },
		20*time.Minute).Should(Equal(1))
	unharmed(s, d, booted, "one network again")
}, scenario.Slow())

var configChurn = scenario.New("config-churn", func(s *scenario.S) {
	d := running(s)
	booted := d.App("web").BootTime
	d.Apply(d.Config().Item("timer.config.interval", "5"))
	before := rows(d)
	for i := range 600 {
		d.Set(d.Config().Edit(func(c *config.EdgeDevConfig) { c.DeviceName = fmt.Sprint("name ", i) }).
			Item("timer.metric.interval", fmt.Sprint(60+i%60)).
			Image(fleet.Image{Name: fmt.Sprint("image", i%7), Store: "registry", URL: "web:1"}).
			RemoveImage(fmt.Sprint("image", (i+3)%7)))
		s.Wait(time.Second)
	}
	s.Eventually(func() any { return scenario.Get(d, node.Info, entity.Global).DeviceName },
		time.Minute).Should(Equal("name 599"))
	unharmed(s, d, booted, "six hundred configurations")
	s.Wait(settle)
	if n := rows(d); n > before+40 {
		s.Fail("the tables had %d rows, now have %d", before, n)
	}
}, scenario.Slow())

var restartChurn = scenario.New("restart-churn", func(s *scenario.S) {
	d := running(s)
	d.Apply(d.Config().Item("timer.config.interval", "5"))
	had := identity(d, "web")
	before := rows(d)
	for range 100 {
		booted := d.App("web").BootTime
		d.Set(d.Config().RestartApp("web"))
		s.Eventually(func() any {
			a := d.App("web")
			return a != nil && a.State == entity.RUNNING && a.BootTime.After(booted)
		}, 10*time.Minute).Should(BeTrue())
	}
	if now := identity(d, "web"); now != had {
		s.Fail("the application had %s, now has %s", had, now)
	}
	if n := d.Guests("web"); n != 1 {
		s.Fail("%d guests", n)
	}
	s.Wait(settle)
	if n := rows(d); n > before+20 {
		s.Fail("the tables had %d rows, now have %d", before, n)
	}
}, scenario.Slow())
