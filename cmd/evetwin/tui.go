package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/tui"
	"github.com/evetwin/evetwin/tui/source"
)

type tuiFlags struct {
	socket      string
	root        string
	allowWrite  bool
	demo        bool
	dataOfTheUp string
}

func tuiCommand() *cobra.Command {
	var f tuiFlags
	c := &cobra.Command{Use: "tui", Args: cli.Usage(cobra.NoArgs),
		Short: "Look at a running device: the newest \"up\" of this user, or a socket",
		RunE:  func(c *cobra.Command, _ []string) error { return look(c.Context(), f) }}
	c.Flags().StringVar(&f.socket, "socket", "", "socket of the device (default: the newest \"up\")")
	c.Flags().StringVar(&f.root, "root", "", "root folder of a device of zedbox, \"/\" on a device")
	c.Flags().StringVar(&f.dataOfTheUp, "data", "", "the --data folder of the \"up\" to look at")
	c.Flags().BoolVar(&f.allowWrite, "allow-write", false,
		"act on the device, where it lets terminals do so")
	c.Flags().BoolVar(&f.demo, "demo", false, "play a small story without a device")
	return c
}

func look(ctx context.Context, f tuiFlags) error {
	if f.demo {
		return tui.Run(ctx, source.Demo(), tui.Options{ReadOnly: true})
	}
	path := f.socket
	if path == "" && f.root != "" {
		path = zedbox.Root(f.root).TerminalSocket()
	}
	if path == "" {
		found, err := newest(f.dataOfTheUp)
		if err != nil {
			return err
		}
		path = found
	}
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := source.Dial(within, path, source.DialOptions{Write: f.allowWrite})
	if err != nil {
		return fmt.Errorf("look at the device behind %s: %w", path, err)
	}
	defer func() { _ = c.Close() }()
	return tui.Run(ctx, c, tui.Options{ReadOnly: !f.allowWrite})
}

// newest finds the socket of the newest "up" that still runs.
func newest(data string) (string, error) {
	pattern := filepath.Join(lab.DefaultDirs().State, "up-*", socketNote)
	if data != "" {
		pattern = filepath.Join(data, socketNote)
	}
	notes, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("look for a running device: %w", err)
	}
	var best string
	var at time.Time
	for _, n := range notes {
		i, err := os.Stat(n)
		b, rerr := os.ReadFile(n)
		if err != nil || rerr != nil || !i.ModTime().After(at) {
			continue
		}
		path := strings.TrimSpace(string(b))
		if _, err := os.Stat(path); err == nil {
			best, at = path, i.ModTime()
		}
	}
	if best == "" {
		return "", errors.New("no device runs here; \"evetwin up\" starts one, " +
			"\"evetwin tui --demo\" shows what it would look like")
	}
	return best, nil
}
