package downloader

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/metrics"
)

func TestFileToDisk(t *testing.T) {
	r := bench(t)
	order1(r, 1)
	r.Step()
	req := fetch(t, r)
	if req.URL != "http://files.lab/dir/disk.raw?v=1/2" || req.MaxSize != 1000 ||
		req.Stalled != 10*time.Minute || req.Via.IfName != "eth0" || req.Target != target {
		t.Errorf("fetches %+v", req)
	}
	have(r, 400, 800)
	r.Step()
	if st := status(t, r); st.State != entity.DOWNLOADING || st.CurrentSize != 400 ||
		st.TotalSize != 800 || st.Progress != 50 || st.Port != "eth0" {
		t.Errorf("half way: %+v", st)
	}
	have(r, 100, 800) // began anew: what is shown does not go back
	r.Step()
	if st := status(t, r); st.CurrentSize != 400 || st.Progress != 50 {
		t.Errorf("after it began anew: %+v", st)
	}
	have(r, 800, 800)
	rig.Done(r, web.Fetch, sha, web.FetchRes{Size: 800, ContentType: "x/y"})
	r.Step()
	st := status(t, r)
	if st.State != entity.DOWNLOADED || st.Progress != 100 || st.ContentType != "x/y" ||
		st.HasError() || st.Of != rig.Rev(r, content.Downloads, sha) {
		t.Errorf("at the end: %+v", st)
	}
	if rig.Get(r, metrics.Maps.Of("downloader"), "global") != nil {
		t.Error("the counters move with every exchange")
	}
	r.Advance(tallyFor)
	m := rig.Get(r, metrics.Maps.Of("downloader"), "global")
	if m == nil || len(m.Ports) != 1 || m.Ports[0].SuccessCount != 1 ||
		m.Ports[0].URLs[0].URL != "http://files.lab" || m.Ports[0].URLs[0].RecvByteCount != 800 {
		t.Errorf("counters %+v", m)
	}
	// The verifier takes the file; that is no reason to fetch it again.
	rig.Delete(r, web.Partials, target)
	r.Step()
	if st := status(t, r); st.State != entity.DOWNLOADED || len(rig.Calls(r, web.Fetch)) != 0 {
		t.Errorf("after the verifier took it: %+v", st)
	}
}

func TestAPP13_WholeFileIsNotFetchedAgain(t *testing.T) {
	r := bench(t)
	have(r, 800, 800)
	order1(r, 1)
	r.Step()
	if st := status(t, r); st.State != entity.DOWNLOADED {
		t.Errorf("with the file on the disk: %+v", st)
	}
	if n := len(rig.Calls(r, web.Fetch)) + len(rig.Calls(r, web.Send)); n != 0 {
		t.Errorf("%d calls to the network", n)
	}
}

func TestAPP18_KilledDownloadGoesOn(t *testing.T) {
	r := bench(t)
	order1(r, 1)
	r.Step()
	before := fetch(t, r)
	have(r, 400, 800)
	r.Step()
	r.Crash()
	r.Step()
	if n := len(rig.Calls(r, web.Fetch)); n != 1 {
		t.Fatalf("%d transfers at once after a crash", n)
	}
	// The orphan ends half way; the transfer goes on into the same partial.
	rig.Fail(r, web.Fetch, sha, refused("connection broke"))
	r.Step()
	if after := fetch(t, r); after.Target != before.Target || after.URL != before.URL {
		t.Errorf("goes on with %+v, before %+v", after, before)
	}
	if rm := rig.Calls(r, web.RemovePartial); len(rm) != 0 {
		t.Errorf("removes %v", rm)
	}
	if st := status(t, r); st.CurrentSize != 400 {
		t.Errorf("after the crash: %+v", st)
	}
	// After a power cut volumemgr asks again, later; until then the partial is left alone.
	r.Reboot()
	have(r, 400, 800)
	rig.Complete(r, web.Partials)
	r.Step()
	if rm := rig.Calls(r, web.RemovePartial); len(rm) != 0 {
		t.Errorf("removes %v while the orders are not known", rm)
	}
	items(r)
	ports(r, port("eth0", 0, "10.0.0.2"))
	datastore(r, "ds", content.DsHTTP, "files.lab")
	order1(r, 1)
	r.Step()
	if fetch(t, r).Target != target {
		t.Error("does not go on with the partial")
	}
	rig.Complete(r, content.Downloads)
	r.Step()
	if rm := rig.Calls(r, web.RemovePartial); len(rm) != 0 {
		t.Errorf("removes %v, which is wanted", rm)
	}
}

func TestAPP19_CancelLeavesNoFile(t *testing.T) {
	r := bench(t)
	order1(r, 1)
	r.Step()
	have(r, 400, 800)
	r.Step()
	order1(r, 0)
	r.Step()
	if st := status(t, r); !st.Expired || st.Of != rig.Rev(r, content.Downloads, sha) {
		t.Fatalf("after the release: %+v", st)
	}
	r.Step()
	rig.Delete(r, content.Downloads, sha)
	r.Step()
	if rm := rig.Calls(r, web.RemovePartial); len(rm) != 1 || rm[0].Req.Target != target {
		t.Fatalf("removals %v", rm)
	}
	if rig.Get(r, content.DownloadStatuses, sha) == nil {
		t.Error("the status goes before the file")
	}
	rig.Delete(r, web.Partials, target)
	rig.Done(r, web.RemovePartial, target, web.None{})
	r.Step()
	if rig.Get(r, content.DownloadStatuses, sha) != nil {
		t.Error("the status stays")
	}
	have(r, 10, 800) // the cancelled transfer wrote once more
	r.Step()
	if rm := rig.Calls(r, web.RemovePartial); len(rm) != 1 {
		t.Error("what was written late stays")
	}
}

func TestNewReferenceCancelsRelease(t *testing.T) {
	r := bench(t)
	order1(r, 1)
	r.Step()
	have(r, 400, 800)
	order1(r, 0)
	r.Step()
	order1(r, 1)
	r.Step()
	if st := status(t, r); st.Expired || fetch(t, r).Target != target {
		t.Errorf("after the new reference: %+v", st)
	}
	// A config that comes back while its file is being removed waits for that.
	order1(r, 0)
	r.Step()
	rig.Delete(r, content.Downloads, sha)
	r.Step()
	order1(r, 1)
	r.Step()
	if n := len(rig.Calls(r, web.Fetch)); n != 0 {
		t.Error("fetches into a file that is being removed")
	}
	rig.Delete(r, web.Partials, target)
	rig.Done(r, web.RemovePartial, target, web.None{})
	r.Step()
	fetch(t, r)
}

func TestAPP20_RetryAndDatastoreEdit(t *testing.T) {
	r := bench(t)
	items(r, config.Value{Key: config.DownloadRetry, Value: "100"})
	order1(r, 1)
	r.Step()
	rig.Fail(r, web.Fetch, sha, refused("connection refused"))
	r.Step()
	st := status(t, r)
	mustContain(t, "error", st.Error, "connection refused", "eth0", "files.lab")
	mustContain(t, "condition", st.ErrorRetryCondition, "Will retry in", "have retried 0 times")
	if st.ErrorSeverity != entity.SeverityNotice {
		t.Errorf("severity %v", st.ErrorSeverity)
	}
	r.Advance(29 * time.Second)
	if n := len(rig.Calls(r, web.Fetch)); n != 0 {
		t.Fatal("tries again before 0.3 of the time")
	}
	r.Advance(71 * time.Second)
	st = status(t, r)
	mustContain(t, "while retrying", st.ErrorRetryCondition, "Retrying; attempt 1")
	mustContain(t, "while retrying", st.Error, "connection refused")
	rig.Fail(r, web.Fetch, sha, refused("connection refused"))
	r.Step()
	mustContain(t, "second wait", status(t, r).ErrorRetryCondition, "have retried 1 times")
	datastore(r, "ds", content.DsHTTP, "other.lab")
	r.Step()
	if req := fetch(t, r); req.URL != "http://other.lab/dir/disk.raw?v=1/2" {
		t.Errorf("after the edit it fetches %q", req.URL)
	}
	have(r, 800, 800)
	rig.Done(r, web.Fetch, sha, web.FetchRes{Size: 800})
	r.Step()
	if st = status(t, r); st.HasError() || st.State != entity.DOWNLOADED {
		t.Errorf("at the end: %+v", st)
	}
}

func TestAPP21_OnlyPortsAboveMaxCost(t *testing.T) {
	r := bench(t)
	ports(r, port("wwan0", 5, "10.0.9.2"))
	order1(r, 1)
	r.Step()
	st := status(t, r)
	if st.Error != "No IP management port addresses with cost <= 0" {
		t.Errorf("error %q", st.Error)
	}
	items(r, config.Value{Key: config.DownloadMaxCost, Value: "5"})
	r.Step()
	if req := fetch(t, r); req.Via.IfName != "wwan0" {
		t.Errorf("fetches through %+v", req.Via)
	}
	if st = status(t, r); st.HasError() {
		t.Errorf("error stays: %+v", st)
	}
}
