package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/disk/keep"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/backends/sim/web/outward"
	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/bus"
)

// outside is what stands in the network of models; the file of --outside holds it as JSON.
type outside struct {
	// Name is the device's, Seed what its draws and the keys of its TPM derive from.
	Name string `json:"name"`
	Seed uint64 `json:"seed"`
	// Ports is how many Ethernet ports the device has; 0 means two.
	Ports int `json:"ports"`
	// Reach says where servers of a name really listen: "host:port" on this machine.
	Reach map[string]string `json:"reach"`
	// Plain are "name:port" of those that speak HTTP without TLS there, whatever the URL says.
	Plain []string `json:"plain"`
}

// off is how long a reset takes.
const off = time.Second

// whyModel is why all parts are models.
const whyModel = "--outside asks for models"

// models makes a device whose parts are all models, in a network of their own.
func (b *box) models() (*device, error) {
	o := outside{Name: "edge", Ports: 2}
	if err := readJSON(b.outside, &o); err != nil {
		return nil, cli.Refuse(fmt.Errorf("read what is outside: %w", err))
	}
	files, err := readConfig(b.folder().Config())
	if err != nil {
		return nil, err
	}
	folder, err := keep.Open(filepath.Join(b.folder().Persist(), "model"))
	if err != nil {
		return nil, err
	}
	kept, err := folder.Load()
	if err != nil {
		return nil, err
	}
	hw, err := model(&o, files, kept)
	if err != nil {
		return nil, err
	}
	d := &device{name: o.Name, seed: o.Seed, hardware: hw, mortal: true, people: hw.Operator,
		keeper: &keeper{folder: folder, disk: hw.Disk, onLine: func(string) {}}}
	hw.Store.Partition = func(server string) error {
		return os.WriteFile(filepath.Join(b.folder().Config(), "server"), []byte(server), 0o600)
	}
	for _, name := range []string{"nic", "web", "store", "tpm", "bridge", "hyper", "boot", "power",
		"clock", "led", "log"} {
		d.parts = append(d.parts, zedbox.Part{Name: name, Kind: "model", Why: whyModel})
	}
	return d, nil
}

// model is hardware in a network of models, whose servers are real, around a disk; nil makes one.
func model(o *outside, config map[string][]byte, d *disk.Disk) (*board.Board, error) {
	ca, err := world.DeriveAuthority("evetwin model of the outside", time.Unix(0, 0).UTC(),
		time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return nil, fmt.Errorf("make the network: %w", err)
	}
	servers := map[string]*world.Origin{}
	transport := &outward.HTTP{Dial: o.Reach, Plain: map[string]bool{}}
	for _, p := range o.Plain {
		transport.Plain[p] = true
	}
	for name := range o.Reach { //order: each goes to its own key
		chain, err := ca.Issue(name)
		if err != nil {
			return nil, fmt.Errorf("make the network: %w", err)
		}
		servers[name] = origin(name, chain)
	}
	server, _, _ := strings.Cut(strings.TrimSpace(string(config["server"])), ":")
	if servers[server] == nil {
		server = world.DefaultController // which the device does not know yet
	}
	var b *board.Board
	net := world.New(world.Default(max(o.Ports, 1)), world.Options{PublicCA: ca,
		Controller: servers[server], Outside: func(h string) *world.Origin { return servers[h] },
		Draw: func(key string, n uint64) uint64 {
			var sum bus.Sum
			sum.Word(o.Seed)
			sum.String(key)
			sum.Word(n)
			return sum.Value()
		},
		OnCarrier: func(port string, up bool) { b.Carrier(port, up) }})
	b = board.New(board.Options{Name: o.Name, Seed: o.Seed, World: net, Config: config, Disk: d,
		Roots: []string{ca.CertPEM()}, Real: func(h string) (web.Transport, bool) {
			_, ok := o.Reach[strings.ToLower(h)]
			return transport, ok
		}}, time.Now)
	b.Boot.Off, b.Hyper.Serial = off, o.Name
	return b, nil
}

// origin is a server of the network: the model says whether it is reached, the real one answers.
func origin(name string, chain [][]byte) *world.Origin {
	return &world.Origin{Label: name, Names: []string{name}, Chain: chain, Owner: name,
		Ports: []world.ListenPort{{Number: 80}, {Number: 443, TLS: true}, {Number: 5000}},
		Serve: func(time.Time, *world.Request) *world.Response {
			return &world.Response{Status: http.StatusOK}
		}}
}

// readConfig reads the files of the configuration's folder, by their names below it.
func readConfig(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			files[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the configuration of the device: %w", err)
	}
	return files, nil
}
