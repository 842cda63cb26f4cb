package boot

import "github.com/evetwin/evetwin/core/host"

// Light is the part led alone.
type Light struct{ *Boot }

// Wire serves the op of the part on a boot.
func (l Light) Wire(k *host.Kernel) { l.wireLed(k) }
