package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/backends/linux/hub/face"
	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
)

func hubCommand(b *box) *cobra.Command {
	return &cobra.Command{Use: "hub", Short: "Tables, journal and parts of the device",
		Args: cli.Usage(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
			return b.hub(c.Context(), newLines(c.ErrOrStderr()))
		}}
}

// hub serves the device until ctx ends or the device powers itself off.
func (b *box) hub(ctx context.Context, l *lines) (err error) {
	r := b.folder()
	if err := r.Make(); err != nil {
		return err
	}
	pid, err := zedbox.Hold(r, zedbox.Hub)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pid.Release()) }()
	d, err := b.device(ctx, l)
	if err != nil {
		return err
	}
	if d.close != nil {
		defer func() { err = errors.Join(err, d.close()) }()
	}
	if err := zedbox.WriteParts(r, d.parts); err != nil {
		return err
	}
	// A model lives no longer than its process: with a hub that was killed the power went, and whoever
	// was its agent begins anew, too.
	if d.mortal {
		if err := os.Remove(r.Socket() + ".life"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("boot the device: %w", err)
		}
	}
	if d.kept != nil {
		l = l.keep(d.kept)
	}
	t := newTerminals(b, l, d.people)
	h, err := hub.New(hub.Options{Name: d.name, Seed: d.seed, Socket: r.Socket(), Dir: r.Journal(),
		Agents: roster.Agents(), Hardware: d.hardware, OnLine: t.own, OnSaid: t.line})
	if err != nil {
		return err
	}
	pulse := zedbox.NewPulse(r, zedbox.Hub)
	pulse.Join(h.Device().Post)
	if d.keeper != nil {
		d.keeper.onLine = func(text string) { l.write(agent.Err, zedbox.Hub, "disk", text) }
	}
	err = serve(ctx, h, l, t, d.keeper, face.Options{Run: r.Run(), Taken: r.MonitorSocket(),
		Persist: filepath.Join(r.Persist(), "status"),
		OnLine:  func(text string) { l.write(agent.Warn, zedbox.Hub, "face", text) }})
	return errors.Join(err, pulse.Close())
}

// serve runs a hub with its face and terminals, and keeps the disk of models; k is nil without any.
func serve(ctx context.Context, h *hub.Hub, l *lines, t *terminals, k *keeper, o face.Options,
) error {
	shown, stop := context.WithCancel(context.WithoutCancel(ctx))
	var showing sync.WaitGroup
	showing.Go(func() {
		// A device is not stopped because nobody can look at it.
		if err := face.Serve(shown, h, o); err != nil {
			l.write(agent.Err, zedbox.Hub, "face", err.Error())
		}
	})
	showing.Go(func() { t.serve(shown, h) })
	if k != nil {
		showing.Go(func() { k.run(shown, h) })
	}
	err := h.Run(ctx)
	stop()
	showing.Wait()
	if k != nil {
		k.end()
	}
	if err != nil {
		return fmt.Errorf("run the device: %w", err)
	}
	return nil
}
