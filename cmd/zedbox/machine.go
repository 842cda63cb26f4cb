package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/board"
	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
)

// real makes the device of the parts of a machine.
func (b *box) real(ctx context.Context, l *lines) (*device, error) {
	m := zedbox.Machine{TPM: "/dev/tpmrm0", TPMKind: "device", ResolvConf: "/etc/resolv.conf"}
	if b.machine != "" {
		m = zedbox.Machine{}
		if err := readJSON(b.machine, &m); err != nil {
			return nil, cli.Refuse(fmt.Errorf("read what the device stands on: %w", err))
		}
	} else if _, err := os.Stat(m.TPM); err != nil {
		m.TPM, m.TPMKind = "", ""
	}
	if m.Name == "" {
		m.Name, _ = os.Hostname() // which may be nothing
	}
	o, err := b.boardOptions(ctx, &m, l)
	if err != nil {
		return nil, err
	}
	hw, err := board.New(o)
	if err != nil {
		return nil, err
	}
	d := &device{name: m.Name, seed: hw.Seed(), hardware: hw, close: hw.Close,
		people: hw.Operator(), kept: hw.Log().Line}
	for _, p := range hw.Parts() {
		d.parts = append(d.parts, zedbox.Part{Name: p.Name, Kind: p.Kind, Why: p.Why})
	}
	return d, nil
}

// boardOptions are a machine as the board takes it.
func (b *box) boardOptions(ctx context.Context, m *zedbox.Machine, l *lines,
) (board.Options, error) {
	r := b.folder()
	cache := lab.Cache{Dir: m.Cache}
	if m.Cache == "" {
		cache.Dir = lab.DefaultDirs().Cache
	}
	o := board.Options{Name: m.Name, Root: b.root, Run: filepath.Dir(r.Socket()), Space: m.Space,
		ConfigFrom: m.ConfigFrom,
		Ports:      m.Ports, ResolvConf: m.ResolvConf, TPM: m.TPM, TPMKind: m.TPMKind, Disk: m.Disk,
		Current: m.Current, Cache: cache, Hyper: hyper.Under(m.Hyper), MemoryMB: m.MemoryMB,
		Sys: m.Sys, Lights: m.Lights, Exit: m.Lab, Console: os.Stderr,
		OnError: func(part string, err error) { l.write(agent.Warn, part, "", err.Error()) },
		Guest:   func(app string) io.Writer { return &console{l: l, app: app} },
		Exited:  func(off bool) error { return zedbox.WriteReset(r, off) }}
	if _, _, err := hyper.Choose(o.Hyper, o.Run); err != nil {
		return o, cli.Refuse(fmt.Errorf("read what the device stands on: %w", err))
	}
	if m.Lab {
		o.SetClock = func(time.Time) error { return nil } // it is somebody else's
	}
	verdict := lab.Prober{Cache: cache}.Accel(ctx)
	o.Accel, o.Why = verdict.Accel, verdict.Why
	if m.Roots != "" {
		pem, err := os.ReadFile(m.Roots)
		if err != nil {
			return o, cli.Refuse(fmt.Errorf("read the roots that the system trusts: %w", err))
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(pem) {
			return o, cli.Refuse(fmt.Errorf("read the roots that the system trusts: %s has none", m.Roots))
		}
	}
	return o, nil
}

// longest is the longest line of a console that is written in one piece.
const longest = 4 << 10

// console writes what a guest says as lines of the log.
type console struct {
	l   *lines
	app string

	mu   sync.Mutex
	rest []byte
}

// Write takes what a guest says.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest = append(c.rest, p...)
	for len(c.rest) > 0 {
		n := bytes.IndexByte(c.rest, '\n')
		if n < 0 && len(c.rest) < longest {
			break
		}
		if n < 0 {
			n = longest - 1
		}
		c.l.write(agent.Info, "guest", c.app, string(bytes.TrimRight(c.rest[:n], "\r")))
		c.rest = c.rest[n+1:]
	}
	return len(p), nil
}
