package network

import (
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// PortConfigFile is what became of a file of /config/DevicePortConfig. Owner: nim. It is not in
// EVE, which only logs it.
type PortConfigFile struct {
	Path    string // absolute
	Sha256  string // of the content this is about
	DPCKey  string // of the configuration that was taken in, empty if none was
	Ignored string // why the file does not count on this device, empty if it does
	entity.ErrorAndTime
}

// Key is the path with "/" as "!".
func (f PortConfigFile) Key() string { return strings.ReplaceAll(f.Path, "/", "!") }

// PortConfigFiles is nim's topic of files that configure ports.
var PortConfigFiles = bus.NewTopic[PortConfigFile](bus.Decl{Owner: "nim", Name: "PortConfigFile"})
