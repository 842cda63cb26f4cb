package controllerconn

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
)

// File reads one small file of the device, again whenever it changes. It is wiring only.
type File struct {
	path, key string
	seen      *bus.Sub[store.FileSeen]
	read      *agent.Calls[store.ReadReq, store.ReadRes]
}

// AttachFile wires the reading of the file at an absolute path into an agent; several agents may
// read the same file. Its call of store.Read has the file's key (store.FileKey).
func AttachFile(p bus.Port, path string) *File {
	return &File{
		path: path, key: store.FileKey(path),
		seen: bus.Subscribe(p, store.Files, bus.Optional), read: agent.Use(p, store.Read),
	}
}

// FileState is what is known of a file.
type FileState uint8

// States of a file.
const (
	FileUnknown FileState = iota // the disk has not been looked at, or the content is on its way
	FileAbsent                   // there is no such file
	FileBroken                   // it is there and cannot be read; tried again every 10 s
	FileReady                    // its content is here
)

const rereadAfter = 10 * time.Second

// Read is the content of the file; it must not be changed. Call it in each turn as long as the
// content is of interest.
func (f *File) Read(t *agent.Turn) ([]byte, FileState) {
	row := f.seen.Get(f.key)
	if row == nil {
		f.read.Drop(f.key)
		if f.seen.Complete() {
			return nil, FileAbsent
		}
		return nil, FileUnknown
	}
	if row.Size == 0 {
		f.read.Drop(f.key)
		return nil, FileReady
	}
	call := f.read.Want(f.key, store.ReadReq{Path: f.path, Sha256: row.Sha256})
	switch call.Phase {
	case agent.Done:
		return call.Res.Data, FileReady
	case agent.Failed:
		if again := call.Ended + rereadAfter; t.Now < again {
			t.WakeAt("read/"+f.key, again)
			return nil, FileBroken
		}
		f.read.Redo(f.key)
	}
	return nil, FileUnknown
}

// Line is the file's content without white space around it; empty unless the file is ready.
func (f *File) Line(t *agent.Turn) string {
	data, _ := f.Read(t)
	return strings.TrimSpace(string(data))
}

// Seen is the file's row, nil if it is not seen.
func (f *File) Seen() *store.FileSeen { return f.seen.Get(f.key) }

// Exists reports whether the file is there and not empty.
func (f *File) Exists() bool {
	row := f.Seen()
	return row != nil && row.Size > 0
}
