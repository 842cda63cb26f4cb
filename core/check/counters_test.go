package check

import (
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/metrics"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evetwin/evetwin/core/device/clock"
)

// began is when the boots of this test began, by their clock.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// sample is a message at an uptime, with what an interface of device and application received.
func sample(up time.Duration, device, app, cpu uint64) *metrics.ZMetricMsg {
	net := func(n uint64) []*metrics.NetworkMetric {
		return []*metrics.NetworkMetric{{IName: "eth0", RxBytes: n}}
	}
	use := &metrics.AppCpuMetric{UpTime: timestamppb.New(time.Unix(0, 0).Add(up)), TotalNs: cpu}
	return &metrics.ZMetricMsg{DevID: "d", AtTimeStamp: timestamppb.New(began.Add(up)),
		MetricContent: &metrics.ZMetricMsg_Dm{Dm: &metrics.DeviceMetric{Network: net(device),
			CpuMetric: use}},
		Am: []*metrics.AppMetric{{AppID: "a", Network: net(app), Cpu: use}}}
}

func TestCountersForward(t *testing.T) {
	calm := func(t *testing.T) *tape {
		tp := start(t, countersForward())
		tp.wait(time.Hour)
		put(tp, clock.Clock, clock.ClockSeen{})
		tp.c.Metrics(sample(time.Minute, 10, 10, 10))
		tp.c.Metrics(sample(2*time.Minute, 10, 11, 10))
		return tp
	}
	calm(t).keeps()
	tp := calm(t)
	tp.c.Metrics(sample(time.Minute, 5, 5, 5)) // a message that is late
	tp = tp.reboot(nil)
	tp.wait(2 * time.Minute)
	put(tp, clock.Clock, clock.ClockSeen{})
	tp.c.Metrics(sample(30*time.Minute, 20, 20, 20)) // one of the boot before
	early := sample(30*time.Second, 20, 20, 20)      // one more, younger than this boot, and its first
	early.AtTimeStamp = timestamppb.New(began.Add(-time.Minute))
	tp.c.Metrics(early)
	tp.c.Metrics(sample(time.Minute, 0, 0, 0))
	tp.keeps()
	for name, m := range map[string]*metrics.ZMetricMsg{
		"device":      sample(3*time.Minute, 9, 11, 10),
		"application": sample(3*time.Minute, 10, 10, 10),
		"cpu":         sample(3*time.Minute, 10, 11, 9),
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			tp.c.Metrics(m)
			tp.breaks()
		})
	}
}
