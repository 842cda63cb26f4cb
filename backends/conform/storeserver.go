package conform

import (
	"testing"

	"github.com/evetwin/evetwin/core/device/store"
)

// storeServer are the cases of the name of the controller. They change what is in /config, and
// stand behind all others.
func storeServer() []Case[*storeBench] {
	return []Case[*storeBench]{
		{Name: "set", Run: (*storeBench).setsServer,
			Clause: "SetServer replaces the file server of ConfigDir; doing what is done is a success"},
		{Name: "wrong", Run: (*storeBench).wrongServers,
			Clause: "IsServer reports whether a text can name a controller"},
		{Name: "power cut", Run: (*storeBench).keepsServer,
			Clause: "an op that writes is done only when what it wrote survives a power cut"},
	}
}

func (x *storeBench) setsServer(t *testing.T) {
	for _, name := range []string{"other.example", "other.example", "10.0.0.1:8443", "a"} {
		x.server.does(t, store.SetServerReq{Server: name}, func() {
			x.has(t, store.ServerFile, []byte(name))
		})
		x.holds(t, store.ServerFile, []byte(name))
	}
}

func (x *storeBench) wrongServers(t *testing.T) {
	x.server.does(t, store.SetServerReq{Server: "right.example"}, nil)
	for _, name := range []string{"", "a b", "https://a", "a:0", "a:65536", "a:x", ":80", "a/b",
		"a\n"} {
		x.server.refuses(t, store.SetServerReq{Server: name}, store.FaultRefused, false)
	}
	x.holds(t, store.ServerFile, []byte("right.example"))
}

func (x *storeBench) keepsServer(t *testing.T) {
	x.server.does(t, store.SetServerReq{Server: "kept.example:443"}, nil)
	x.cut(t)
	x.holds(t, store.ServerFile, []byte("kept.example:443"))
}
