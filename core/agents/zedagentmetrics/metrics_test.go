package zedagentmetrics

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

func TestPeriodLiesInItsRange(t *testing.T) {
	b := newBench(t)
	low, high, sum := time.Hour, time.Duration(0), time.Duration(0)
	for range 40 {
		_, d := b.next(61 * time.Second)
		b.code(201)
		low, high, sum = min(low, d), max(high, d), sum+d
	}
	if low < 18*time.Second || high > 61*time.Second || high-low < 20*time.Second ||
		sum/40 < 32*time.Second || sum/40 > 46*time.Second {
		t.Fatalf("periods %v to %v, mean %v", low, high, sum/40)
	}
}

func TestNothingBeforeOnboarding(t *testing.T) {
	b := newBench(t)
	rig.Delete(b.Rig, node.Onboarding, entity.Global)
	b.Advance(10 * time.Minute)
	if m := b.flying(); m != nil {
		t.Fatalf("%v", m)
	}
}

func TestAPI42_FailureIsNotRetried(t *testing.T) {
	b := newBench(t)
	b.next(time.Minute + time.Second)
	b.code(503)
	if m := b.flying(); m != nil {
		t.Fatal("sent again at once")
	}
	_, d := b.next(61 * time.Second)
	if d < 18*time.Second {
		t.Fatalf("sent again after %v", d)
	}
	rig.Fail(b.Rig, web.Send, key, agent.Fault{Code: web.FaultTimeout, Text: "timeout"})
	b.settle()
	if _, d := b.next(61 * time.Second); d < 18*time.Second {
		t.Fatalf("sent again after %v", d)
	}
}

func TestAPI42_LongerIntervalAfterSuccessOnly(t *testing.T) {
	b := newBench(t)
	m, _ := b.next(61 * time.Second)
	if got := m.GetDm().GetDormantTimeInSeconds(); got != 180 {
		t.Fatalf("dormant after %d s", got)
	}
	b.code(201)
	b.interval("1000")
	for range 3 { // as long as no message gets through, the old interval holds
		m, _ := b.next(61 * time.Second)
		if got := m.GetDm().GetDormantTimeInSeconds(); got != 3000 {
			t.Fatalf("dormant after %d s", got)
		}
		b.code(500)
	}
	b.next(61 * time.Second)
	b.code(201)
	if _, d := b.next(1001 * time.Second); d < 300*time.Second {
		t.Fatalf("the longer interval does not hold: %v", d)
	}
	b.code(201)
	b.interval("10") // a shorter one holds at once
	if _, d := b.next(11 * time.Second); d > 11*time.Second {
		t.Fatalf("the shorter interval does not hold: %v", d)
	}
}

// A shorter interval holds although the message on its way has told the longer one.
func TestShorterIntervalDuringAMessage(t *testing.T) {
	b := newBench(t)
	b.next(61 * time.Second)
	b.interval("10")
	b.code(201)
	if _, d := b.next(61 * time.Second); d > 10*time.Second {
		t.Errorf("the shorter interval does not hold: %v", d)
	}
}

func TestMessage(t *testing.T) {
	b := newBench(t)
	b.Advance(10 * time.Second)
	m, _ := b.next(61 * time.Second)
	dm := m.GetDm()
	if m.GetDevID() != deviceID || !m.GetAtTimeStamp().AsTime().Equal(b.Wall()) {
		t.Errorf("device %q at %v", m.GetDevID(), m.GetAtTimeStamp())
	}
	if n := dm.GetNetwork(); len(n) != 1 || n[0].GetIName() != "e0" || n[0].GetTxBytes() != 100 {
		t.Errorf("network %v", n)
	}
	if x := dm.GetDeviceMemory(); x.GetMemoryMB() != 2048 || x.GetAllocatedAppsMB() != 512 ||
		x.GetUsedEveMB() != 400 {
		t.Errorf("memory %v", x)
	}
	if x := dm.GetCpuMetric(); x.GetTotal() != 5 || x.GetTotalNs() != 5e9 ||
		x.GetUpTime().AsTime().Sub(time.Unix(0, 0)) != b.Now() {
		t.Errorf("cpu %v", x)
	}
	if z := dm.GetZedcloud(); len(z) != 1 || z[0].GetSuccess() != 4 ||
		z[0].GetUrlMetrics()[0].GetSentMsgCount() != 4 || z[0].GetLastSuccess().GetSeconds() != 50 {
		t.Errorf("exchanges %v", z)
	}
	if x := dm.GetDisk(); x[0].GetTotal() != 4096 || x[0].GetUsed() != 3072 || x[0].GetFree() != 1024 {
		t.Errorf("disk %v", x)
	}
	a := m.GetAm()[0]
	if a.GetAppID() != appID || a.GetCpu().GetTotal() != 3 || a.GetAppMemory().GetUsedMB() != 100 ||
		a.GetCpu().GetUpTime().AsTime().Unix() != int64(b.Now().Seconds()) {
		t.Errorf("application %v", a)
	}
	if n := a.GetNetwork(); len(n) != 1 || n[0].GetLocalName() != "nbu1x1" ||
		n[0].GetTxBytes() != 10 || n[0].GetRxBytes() != 20 {
		t.Errorf("application's network %v", n)
	}
	if n := m.GetNm()[0].GetNetworkStats(); n.GetRx().GetTotalBytes() != 10 ||
		n.GetTx().GetTotalBytes() != 20 || n.GetRx().GetTotalPackets() != 1 {
		t.Errorf("network instance %v", n)
	}
}

func TestCountersNeverGoBack(t *testing.T) {
	b := newBench(t)
	vif := func() uint64 {
		t.Helper()
		m, _ := b.next(61 * time.Second)
		b.code(201)
		return m.GetAm()[0].GetNetwork()[0].GetTxBytes()
	}
	cpu := func() uint64 {
		t.Helper()
		m, _ := b.next(61 * time.Second)
		b.code(201)
		return m.GetAm()[0].GetCpu().GetTotalNs()
	}
	if got := vif(); got != 10 {
		t.Fatalf("%d bytes", got)
	}
	b.vifs.Counters, b.usage.Domains = nil, nil // the guest is off
	if got := vif(); got != 10 {
		t.Fatalf("%d bytes without the interface", got)
	}
	if got := cpu(); got != 3e9 {
		t.Fatalf("%d ns without the guest", got)
	}
	b.vifs.Counters = []bridge.Counter{{Vif: "nbu1x1", TxBytes: 4}}
	b.usage.Domains = []hyper.Usage{{Name: "d", AppID: appID, CPUTotalNs: 1e9}}
	if got := vif(); got != 14 {
		t.Fatalf("%d bytes of the new interface", got)
	}
	b.Crash()
	if got := vif(); got != 14 {
		t.Fatalf("%d bytes after a crash of the agent", got)
	}
	if got := cpu(); got != 4e9 {
		t.Fatalf("%d ns of the new guest", got)
	}
	b.deaf = true
	if got := vif(); got != 14 {
		t.Fatalf("%d bytes when the query fails", got)
	}
	rig.Delete(b.Rig, app.Statuses, appID)
	b.deaf, b.vifs.Counters, b.usage.Domains = false, nil, nil
	b.next(61 * time.Second)
	b.code(201)
	if s := rig.Get(b.Rig, samples, "sample"); len(s.Vifs) != 0 || len(s.Apps) != 0 {
		t.Fatalf("remembers what is gone: %+v", s)
	}
}

func TestCrashInTheMiddleGoesOn(t *testing.T) {
	b := newBench(t)
	b.next(61 * time.Second)
	b.Crash()
	b.settle()
	b.code(201) // of the orphan
	b.next(61 * time.Second)
	b.code(201)
}

func TestSampleOfSortedInterfaces(t *testing.T) {
	got := portTraffic(&nic.CountersRes{Counters: []nic.Counter{{IfName: "b"}, {IfName: "a"}}})
	if got[0].IfName != "a" {
		t.Fatalf("%+v", got)
	}
}
