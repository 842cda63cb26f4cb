package real

import "github.com/evetwin/evetwin/backends/sim/web/outward"

// HTTP carries exchanges out with servers on this machine; see the package outward, which devices
// without QEMU use alone.
type HTTP = outward.HTTP
