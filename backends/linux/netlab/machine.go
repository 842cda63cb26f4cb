package netlab

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// machine is what stands on this machine that tests of this process could have left behind:
// namespaces of its own and links outside of namespaces.
func machine(t testing.TB) string {
	t.Helper()
	var out strings.Builder
	dirs, err := os.ReadDir("/run/netns")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if strings.Contains(d.Name(), fmt.Sprintf("-%d", os.Getpid())) {
			fmt.Fprintln(&out, "namespace", d.Name())
		}
	}
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		fmt.Fprintln(&out, "link", l.Attrs().Name)
	}
	return out.String()
}
