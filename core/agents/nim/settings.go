package nim

import (
	"time"

	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// settings are the config items that nim goes by.
type settings struct {
	duration    time.Duration // D: the unit of all waits of a verification
	interval    time.Duration // between tests of a working configuration
	better      time.Duration // between looks for a better configuration; 0: never
	lastResort  bool          // keep a configuration with DHCP on every Ethernet port
	vendorClass bool
}

func (n *nim) settings() settings {
	m := n.config.Get(entity.Global)
	return settings{
		duration:    m.Seconds(config.PortTestDuration),
		interval:    m.Seconds(config.PortTestInterval),
		better:      m.Seconds(config.PortTestBetterInterval),
		lastResort:  m.Text(config.FallbackAnyEth) == config.TristateEnabled,
		vendorClass: m.Bool(config.DHCPVendorClass),
	}
}

// dpcAvailLimit is how long nim waits for settings, and for any port configuration before it makes
// one itself.
const dpcAvailLimit = time.Minute

// configured reports whether the initial settings are known, or were waited for long enough.
func (s *sheet) configured() bool {
	n := s.n
	if n.config.Len() > 0 || n.config.Complete() || s.t.Now >= dpcAvailLimit {
		return true
	}
	s.t.WakeAt("start", dpcAvailLimit)
	return false
}
