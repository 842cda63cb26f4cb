package hyper

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/linux/hyper/vmm"
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

// Dir is the folder of what runs guests, below one that a reboot of the machine forgets.
func (u Under) Dir(run string) string { return filepath.Join(run, string(u)) }

// Choose makes a wish, which may be empty, what runs guests, and says why. Without a wish it is
// libvirt, where that is installed. But what has guests in this boot of the machine, below the
// folder run, keeps them: under the other one each would run a second time.
func Choose(wish Under, run string) (under Under, why string, err error) {
	return choose(wish, run, libvirtd.DefaultProgram)
}

func choose(wish Under, run, daemon string) (Under, string, error) {
	switch wish {
	case Libvirt, QEMU, "":
	default:
		return "", "", fmt.Errorf("run guests under %q: want %q, %q or nothing", wish, Libvirt, QEMU)
	}
	virt, own := libvirtd.Defined(Libvirt.Dir(run)), vmm.Defined(QEMU.Dir(run))
	_, err := os.Stat(daemon)
	switch {
	case virt && !own:
		return Libvirt, "it has guests since before", nil
	case own && !virt:
		return QEMU, "it has guests since before", nil
	case wish != "":
		return wish, "as it is wished", nil
	case err != nil:
		return QEMU, "there is no " + daemon, nil
	}
	return Libvirt, daemon + " is here", nil
}
