package proof

import "strings"

// Place is where a behaviour was proven.
type Place string

// The places, from the cheapest.
const (
	// Unit is a test of a package, on models.
	Unit Place = "unit"
	// Virtual is a scenario in virtual time.
	Virtual Place = "virtual"
	// Live is real time with real processes: software TPM, children, sockets.
	Live Place = "live"
	// Linux is a real kernel: links, namespaces, filters.
	Linux Place = "linux"
	// QEMU is a real guest.
	QEMU Place = "qemu"
)

// places lists them in order.
var places = []Place{Unit, Virtual, Live, Linux, QEMU}

// Real reports whether a place has real parts rather than models.
func (p Place) Real() bool { return p == Live || p == Linux || p == QEMU }

// rooms maps folders to places; the first that fits decides.
var rooms = []struct {
	dir   string
	place Place
}{
	{"backends/sim/qemu", QEMU},
	{"backends/sim/swtpm", Live},
	{"backends/sim/lab", Live},
	{"backends/child", Live},
	{"backends/linux", Linux},
	{"core/host/live", Live},
	{"e2e", QEMU},
	{"scenarios", Virtual},
}

// PlaceOf returns the place of the tests of a package, given by its folder in the repository.
func PlaceOf(dir string) Place {
	for _, r := range rooms {
		if dir == r.dir || strings.HasPrefix(dir, r.dir+"/") {
			return r.place
		}
	}
	return Unit
}
