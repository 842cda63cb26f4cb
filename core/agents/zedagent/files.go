package zedagent

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
)

// Files it reads and writes.
const (
	rootFile      = "/config/root-certificate.pem"
	bootstrapFile = store.BootstrapConfig
	globalFile    = "/config/GlobalConfig/global.json"
	keysFile      = "/config/authorized_keys"
	configFile    = store.SavedConfig
	certsFile     = "/persist/checkpoint/controllercerts"
	backup        = ".bak"
)

// keyOf is store.FileKey, without work for the files that every turn looks at.
func keyOf(path string) string {
	switch path {
	case configFile:
		return "!persist!checkpoint!lastconfig"
	case configFile + backup:
		return "!persist!checkpoint!lastconfig.bak"
	case certsFile:
		return "!persist!checkpoint!controllercerts"
	}
	return store.FileKey(path)
}

// seen is the file at a path, nil if there is none or it is empty: an empty checkpoint is a
// broken one.
func (x *turn) seen(path string) *store.FileSeen {
	f := x.a.files.Get(keyOf(path))
	if f == nil || f.Size == 0 {
		return nil
	}
	return f
}

// content is the content of a file, nil without one or if it cannot be read; known is false while
// it is being read. The content is held until forget.
func (x *turn) content(path string) (data []byte, known bool) {
	res, known := x.whole(path)
	if res == nil {
		return nil, known
	}
	return res.Data, known
}

// whole is content with what is known of what was kept back of it; nil without a file.
func (x *turn) whole(path string) (res *store.ReadRes, known bool) {
	f := x.seen(path)
	if f == nil {
		return nil, x.a.files.Complete()
	}
	call := x.a.read.Want(keyOf(path), store.ReadReq{Path: path, Sha256: f.Sha256})
	switch call.Phase {
	case agent.Done:
		return call.Res, true
	case agent.Failed:
		return nil, true
	}
	return nil, false
}

// forget releases the contents of files.
func (x *turn) forget(paths ...string) {
	for _, p := range paths {
		x.a.read.Drop(keyOf(p))
	}
}
