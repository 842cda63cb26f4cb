package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/node"
)

// report writes what the agent diag finds to a file or device, a block for each change.
type report struct {
	path string
	file bool // it is a file of ours: the newest block replaces the one before
	k    *host.Kernel
	post func(func())
	due  bool
}

func newReport(b *box) *report {
	if b.diagOut != "" {
		return &report{path: b.diagOut}
	}
	return &report{path: filepath.Join(b.folder().Run(), "diag.out"), file: true}
}

// boot learns the kernel, on the loop.
func (r *report) boot(k *host.Kernel) { r.k = k }

// turn sees a turn before its rows are visible, on the loop.
func (r *report) turn(_ *host.Proc, _ *host.Input, out *host.Output) {
	for i := range out.Rows {
		if out.Rows[i].Topic == node.Diag.Decl && !r.due {
			r.due = true
			r.post(r.write)
		}
	}
}

// write shows the sections as they are, on the loop.
func (r *report) write() {
	r.due = false
	h, ok := r.k.Head(node.Diag.Decl)
	if !ok {
		return
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "=== %s\n", r.k.Wall().UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, v := range h.All() {
		s := v.(*node.DiagSection)
		for _, l := range s.Lines {
			fmt.Fprintf(&b, "%s: %s\n", l.Level, l.Text)
		}
	}
	// A console that is not there must not stop the agent, whose rows say the same.
	if !r.file {
		if f, err := os.OpenFile(r.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err == nil {
			_, _ = f.Write(b.Bytes())
			f.Close()
		}
		return
	}
	if os.WriteFile(r.path+".fresh", b.Bytes(), 0o600) == nil {
		_ = os.Rename(r.path+".fresh", r.path)
	}
}

// close removes the file of ours; the process that wrote none leaves that of the one that did.
func (r *report) close() error {
	if r.k == nil || !r.file {
		return nil
	}
	if _, ours := r.k.Head(node.Diag.Decl); !ours {
		return nil
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
