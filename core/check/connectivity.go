package check

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// keepsWorking: a device whose last way to the controller is gone is reached only on foot.
//
// EVE: a manual configuration is the operator's own word: a newer one replaces it (NET-5).
func keepsWorking() Rule {
	return Rule{Name: "keeps-working-port", Covers: []string{"API-54", "NET-8"},
		Says: "The last port configuration that worked stays in the list until another one works, " +
			"unless it was a manual one.",
		New: func(e *Ear) {
			OnRow(e, network.DPCL, func(key string, was, now *network.DevicePortConfigList) {
				if was == nil || now == nil {
					return
				}
				var kept *network.DevicePortConfig
				for i := range was.PortConfigList {
					d := &was.PortConfigList[i]
					if !d.Working() || d.DPCKey == "manual" {
						continue
					}
					kept = d
					if listed(now, d) {
						e.Judged()
						return
					}
				}
				if kept == nil {
					return
				}
				e.Judged()
				for i := range now.PortConfigList {
					if now.PortConfigList[i].Working() {
						return
					}
				}
				e.Break(network.DPCL.String(), key,
					"%s of %s worked and is gone, and nothing works: %s; before: %s", kept.DPCKey,
					kept.TimePriority.Format(time.RFC3339), listing(now), listing(was))
			})
		}}
}

// listing names the configurations of a list, for people.
func listing(l *network.DevicePortConfigList) string {
	var out []string
	for i := range l.PortConfigList {
		d := &l.PortConfigList[i]
		verdict := "untested"
		if d.Working() {
			verdict = "works"
		} else if !d.Untested() {
			verdict = "failed"
		}
		out = append(out, d.DPCKey+" of "+d.TimePriority.Format(time.RFC3339)+" "+verdict)
	}
	return strings.Join(out, ", ")
}

// listed reports whether a list has a configuration.
func listed(l *network.DevicePortConfigList, d *network.DevicePortConfig) bool {
	for i := range l.PortConfigList {
		o := &l.PortConfigList[i]
		if o.DPCKey == d.DPCKey && o.TimePriority.Equal(d.TimePriority) {
			return true
		}
	}
	return false
}

// reconnects: whatever was configured, what worked is found again.
func reconnects() Rule {
	return Rule{Name: "reconnects", Covers: []string{"NET-8", "API-54"}, Live: true,
		Says: "At last a device that once reached the controller reaches it again.",
		New: func(e *Ear) {
			reached := false
			OnRow(e, network.DNS, func(_ string, _, now *network.DeviceNetworkStatus) {
				reached = reached || now != nil && now.State == network.DPCSuccess
			})
			e.OnEnd(func(time.Duration) {
				n := Get(e, network.DNS, entity.Global)
				if !reached || n == nil {
					return
				}
				e.Judged()
				if n.State != network.DPCSuccess {
					e.Break(network.DNS.String(), n.DPCKey, "the state is %s", n.State)
				}
			})
		}}
}
