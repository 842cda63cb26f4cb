package swtpm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/child"
)

// Guest is the software TPM of one run of a guest. QEMU talks to it through its control socket.
// A reset of the guest keeps it, the next QEMU needs a new one on the same state.
type Guest struct {
	socket  string
	process *child.Process
}

// Serve starts the TPM of a guest and returns when QEMU can connect to it.
func Serve(ctx context.Context, opts Options) (*Guest, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, fmt.Errorf("serve software TPM: %w", err)
	}
	g := &Guest{socket: filepath.Join(opts.SocketDir, opts.Name+".ctrl")}
	if err := os.Remove(g.socket); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("serve software TPM: %w", err)
	}
	g.process, err = child.Start(child.Options{
		Name: "swtpm " + opts.Name, Path: opts.Program,
		Args: []string{"socket", "--tpm2", "--tpmstate", "dir=" + opts.Dir + ",mode=0600",
			"--ctrl", "type=unixio,path=" + g.socket + ",mode=0600"},
	})
	if err != nil {
		return nil, err
	}
	if err := awaitSocket(ctx, g.socket, g.process); err != nil {
		_ = g.process.Kill()
		return nil, err
	}
	return g, nil
}

// Control returns the path of the control socket, for a guest's Spec.
func (g *Guest) Control() string { return g.socket }

// Close ends swtpm, if it has not ended with QEMU.
func (g *Guest) Close() error {
	err := g.process.Stop(stopLimit)
	_ = os.Remove(g.socket)
	return err
}
