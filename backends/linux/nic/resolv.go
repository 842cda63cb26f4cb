package nic

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	device "github.com/evetwin/evetwin/core/device/nic"
)

// resolvText is a resolv.conf. Its readers take the first three servers and ask through whatever
// interface leads there, which the rules of the ports decide; ours is in the comment.
func resolvText(s *device.ResolvSpec) string {
	var b strings.Builder
	if len(s.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(s.Search, " "))
	}
	for _, x := range s.Servers {
		a := x.Addr
		if a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "" {
			a = a.WithZone(x.IfName)
		}
		fmt.Fprintf(&b, "# through %s\nnameserver %s\n", x.IfName, a)
	}
	return b.String()
}

// resolv writes the file.
func (m *machine) resolv(s *device.ResolvSpec) error {
	if m.o.ResolvConf == "" || m.resolves(s) {
		return nil
	}
	err := renameio.WriteFile(m.o.ResolvConf, []byte(resolvText(s)), 0o644)
	return m.k.Did(err, "write %s", m.o.ResolvConf)
}

// resolves reports whether the file says what a spec says.
func (m *machine) resolves(s *device.ResolvSpec) bool {
	if m.o.ResolvConf == "" {
		return true
	}
	text, err := os.ReadFile(m.o.ResolvConf)
	return err == nil && string(text) == resolvText(s)
}
