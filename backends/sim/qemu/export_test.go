package qemu

import "context"

// Take waits for a slot.
func (s *Slots) Take(ctx context.Context) (func(), error) { return s.take(ctx) }

// ParseUsage reads what /proc says.
var ParseUsage = parseUsage
