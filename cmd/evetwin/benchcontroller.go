package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/controllersim/store"
)

// controllerResult is what a controller of many devices does in a second. The devices are clients
// in the same process, on the same cores: they have signed their requests before the clock starts,
// and only one of them verifies an answer; TLS is theirs to do too.
type controllerResult struct {
	Store   string `json:"store"`
	Devices int    `json:"devices"`
	// Unchanged counts requests for a configuration that has not changed, Changed those answered with
	// one of ConfigBytes; Register counts first registrations. All over TLS on loopback, over
	// connections that stay open, from several devices at a time.
	Unchanged float64 `json:"unchanged_per_s"`
	Changed   float64 `json:"changed_per_s"`
	Register  float64 `json:"register_per_s"`
	// HandlerUnchanged and HandlerChanged are the same requests given to the handler itself, one
	// after the other on one core.
	HandlerUnchanged float64 `json:"handler_unchanged_per_s"`
	HandlerChanged   float64 `json:"handler_changed_per_s"`
	// StartMs is the time until a controller with all that the store holds listens.
	StartMs     float64 `json:"start_ms"`
	RSSMiB      float64 `json:"rss_mib"`
	ConfigBytes int     `json:"config_bytes"`
	Clients     int     `json:"clients"`
	measured
}

// benchLinks is how many connections devices ask over at a time: enough that registrations which
// wait for a store are saved together.
const benchLinks = 64

// controllerBench is a measurement under way.
type controllerBench struct {
	devices, requests int
	dir               string
	store             store.Store // nil for one that is forgotten
	server            *httpd.Server
	players           []*player
	links             []*http.Client
}

func benchControllerCommand() *cobra.Command {
	var kind string
	b := &controllerBench{}
	c := &cobra.Command{Use: "controller", Args: cli.Usage(cobra.NoArgs),
		Short: "How many devices the bundled controller serves",
		RunE: func(c *cobra.Command, _ []string) error {
			if b.devices < 1 || b.requests < 1 {
				return cli.Refuse(fmt.Errorf("--devices %d --requests %d: at least 1", b.devices, b.requests))
			}
			if kind != "memory" && kind != "file" {
				return cli.Refuse(fmt.Errorf("--store %s: memory or file", kind))
			}
			r, err := benchController(c.Context(), b, kind)
			if err != nil {
				return err
			}
			result(c, r, "a controller of %d devices (store: %s), over TLS on loopback:\n"+
				"  configuration unchanged   %6.0f /s   (handler alone %.0f /s)\n"+
				"  configuration of %d B   %6.0f /s   (handler alone %.0f /s)\n"+
				"  registrations             %6.0f /s\n"+
				"  start                     %6.1f ms\n"+
				"  memory                    %6.0f MiB", r.Devices, r.Store, r.Unchanged,
				r.HandlerUnchanged, r.ConfigBytes, r.Changed, r.HandlerChanged, r.Register, r.StartMs,
				r.RSSMiB)
			return nil
		}}
	c.Flags().IntVar(&b.devices, "devices", 10_000, "how many")
	c.Flags().IntVar(&b.requests, "requests", 20_000, "how many requests of each kind to measure")
	c.Flags().StringVar(&kind, "store", "memory", "memory or file")
	return c
}

func benchController(ctx context.Context, b *controllerBench, kind string) (
	r controllerResult, err error,
) {
	began := time.Now()
	r.Store, r.Devices, r.Clients = kind, b.devices, benchLinks
	b.dir, err = os.MkdirTemp("", "evetwin-bench-")
	if err != nil {
		return r, fmt.Errorf("make a folder for the measurement: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if kind == "file" {
		b.store = store.NewFile(filepath.Join(b.dir, "fleet.json"))
	}
	if _, err := b.start(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for range r.Clients {
		b.links = append(b.links, newLink())
	}
	if r.Register, err = b.register(ctx); err != nil {
		return r, err
	}
	if r.ConfigBytes, err = b.configure(); err != nil {
		return r, err
	}
	if err := errors.Join(b.prove(), b.measure(ctx, &r)); err != nil {
		return r, err
	}
	if err := b.close(); err != nil {
		return r, err
	}
	b.players, b.links = nil, nil
	took, err := b.start()
	if err != nil {
		return r, err
	}
	if kind == "file" {
		if err := b.complete(); err != nil {
			return r, err
		}
	}
	r.StartMs = float64(took.Microseconds()) / 1000
	r.measured = done(began)
	return r, nil
}

// measure takes the rates, and the memory of the process when they are taken.
func (b *controllerBench) measure(ctx context.Context, r *controllerResult) error {
	for _, m := range []struct {
		current      bool
		code         int
		net, handler *float64
	}{
		{true, http.StatusNotModified, &r.Unchanged, &r.HandlerUnchanged},
		{false, http.StatusOK, &r.Changed, &r.HandlerChanged},
	} {
		if err := b.sign(m.current); err != nil {
			return err
		}
		var err error
		if *m.net, err = b.ask(ctx, m.code); err != nil {
			return err
		}
		if *m.handler, err = b.handle(m.code); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	r.RSSMiB = float64(rss()) / (1 << 20)
	return nil
}

// start serves a controller with what the store holds, and says how long it took.
func (b *controllerBench) start() (time.Duration, error) {
	began := time.Now()
	s, err := httpd.Start(httpd.Options{TokenFile: filepath.Join(b.dir, "admin.token"),
		Store: b.store})
	if err != nil {
		return 0, err
	}
	b.server = s
	return time.Since(began), nil
}

func (b *controllerBench) close() error {
	if b.server == nil {
		return nil
	}
	for _, l := range b.links {
		l.CloseIdleConnections()
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	err := b.server.Close(ctx)
	b.server = nil
	return err
}

// complete checks that a controller that was started again knows all devices.
func (b *controllerBench) complete() (err error) {
	if e := b.server.Do(func(c *controllersim.Controller) {
		if n := c.Fleet().Len(); n != b.devices {
			err = fmt.Errorf("after a restart the controller knows %d of %d devices", n, b.devices)
		}
	}); err == nil {
		err = e
	}
	return err
}
