package host

import "time"

// illFor is how long an agent counts as slow after the latest reason for it.
const illFor = time.Minute

// health is why an agent does not do well.
type health struct {
	why string
	at  time.Duration // since boot; of the latest reason
}

// ail notes why an agent is slow.
func (p *Proc) ail(why string) { p.health = health{why, p.k.drv.Now()} }

// Slow says why an agent is slow, empty if it is well: in the last minute it was beyond a limit on
// churn, or a turn of its took longer than it may.
func (p *Proc) Slow() string {
	if p.health.why == "" || p.k.drv.Now()-p.health.at >= illFor {
		return ""
	}
	return p.health.why
}

// TookLong notes that the newest turn of an agent took longer than it may. The driver measures, if
// time is real to it: a turn takes none in virtual time.
func (k *Kernel) TookLong(p *Proc, took time.Duration) {
	p.ail("a turn took " + took.String())
}
