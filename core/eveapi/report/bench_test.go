package report_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/app"
	counters "github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// BenchmarkMetrics builds and serializes the message of a device with two ports, an application
// with one interface and one volume, and seven agents that exchange messages with the controller.
func BenchmarkMetrics(b *testing.B) {
	in := report.MetricsInput{Device: "dev", At: noon, Dormant: 3 * time.Minute, MemoryMB: 4096,
		Ports:  []report.Traffic{{IfName: "eth0", TxBytes: 1 << 40}, {IfName: "eth1"}},
		Vifs:   []report.Traffic{{IfName: "nbu1x1", RxBytes: 1 << 33}},
		Usages: []report.Usage{{AppID: "a", CPUTotalNs: 1 << 44}},
		Network: &network.DeviceNetworkStatus{Ports: []network.NetworkPortStatus{
			{IfName: "eth0", Logicallabel: "e0"}, {IfName: "eth1", Logicallabel: "e1"}}},
		Volumes:   []*volume.VolumeStatus{{}},
		Instances: []*network.NetworkInstanceStatus{{Vifs: []network.VifNameMac{{Name: "nbu1x1"}}}},
	}
	a := &app.AppInstanceStatus{}
	a.UUID = "a"
	a.AppNetAdapters = make([]network.AppNetAdapterStatus, 1)
	a.AppNetAdapters[0].Vif = "nbu1x1"
	in.Apps = []*app.AppInstanceStatus{a}
	for i := range 7 {
		m := &counters.MetricsMap{}
		for _, p := range []string{"eth0", "eth1"} {
			m.Ports = append(m.Ports, counters.PortCounters{Interface: p, SuccessCount: 1 << 20,
				LastSuccess: noon.Unix(), URLs: []counters.URLCounters{
					{URL: fmt.Sprintf("https://zed.example/api/v2/edgedevice/%d", i), SentMsgCount: 9}}})
		}
		in.Maps = append(in.Maps, m)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := eveapi.MetricsBody(report.Metrics(&in)); err != nil {
			b.Fatal(err)
		}
	}
}
