package hyper

import (
	"fmt"
	"os"

	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
)

// Under is what runs guests.
type Under string

// What can run guests.
const (
	// Libvirt is libvirt's daemon, which runs QEMU or Xen.
	Libvirt Under = "libvirt"
	// QEMU is QEMU without libvirt, started by us.
	QEMU Under = "qemu"
)

// Choose makes a wish, which may be empty, what runs guests, and says why. Without a wish it is
// libvirt, where that is installed.
func Choose(wish Under) (under Under, why string, err error) {
	return choose(wish, libvirtd.DefaultProgram)
}

func choose(wish Under, daemon string) (Under, string, error) {
	switch wish {
	case Libvirt, QEMU:
		return wish, "as it is wished", nil
	case "":
	default:
		return "", "", fmt.Errorf("run guests under %q: want %q, %q or nothing", wish, Libvirt, QEMU)
	}
	if _, err := os.Stat(daemon); err != nil {
		return QEMU, "there is no " + daemon, nil
	}
	return Libvirt, daemon + " is here", nil
}
