package verifier

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

const sha = "aa00000000000000000000000000000000000000000000000000000000000000"

func bench(t *testing.T) *rig.Rig {
	r := rig.New(t, "verifier", New)
	rig.Complete(r, store.Blobs)
	ask(r, 1)
	r.Step()
	return r
}

func ask(r *rig.Rig, refs uint) {
	rig.Put(r, content.Verifies, content.VerifyImageConfig{ImageSha256: sha, Name: "disk.qcow2",
		FileLocation: "x." + sha, Size: 7, RefCount: refs})
}

func status(t *testing.T, r *rig.Rig) content.VerifyImageStatus {
	t.Helper()
	st := rig.Get(r, content.VerifyStatuses, sha)
	if st == nil {
		t.Fatal("no status\n" + r.Dump())
	}
	return *st
}

func TestVerified(t *testing.T) {
	r := bench(t)
	if st := status(t, r); st.State != entity.VERIFYING || st.HasError() ||
		st.Of != rig.Rev(r, content.Verifies, sha) {
		t.Fatalf("while hashing: %+v", st)
	}
	req := rig.Calls(r, store.Verify)[0].Req
	if req != (store.VerifyReq{Target: "x." + sha, Sha256: sha}) {
		t.Errorf("asked to hash %+v", req)
	}
	rig.Put(r, store.Blobs, store.BlobSeen{Sha256: sha, Size: 7})
	rig.Done(r, store.Verify, sha, store.VerifyRes{Sha256: sha, Size: 7})
	r.Step()
	if st := status(t, r); st.State != entity.VERIFIED || st.HasError() {
		t.Errorf("after the hash: %+v", st)
	}
	if n := len(rig.Calls(r, store.Verify)); n != 0 {
		t.Errorf("%d calls left", n)
	}
}

func TestAPP17_WrongHashNamesBoth(t *testing.T) {
	r := bench(t)
	rig.Fail(r, store.Verify, sha, agent.Fault{Code: store.FaultCorrupt,
		Text: "computed bb00"})
	r.Step()
	st := status(t, r)
	if st.State == entity.VERIFIED || st.Error != "computed bb00 configured "+sha ||
		st.ErrorSeverity != entity.SeverityError {
		t.Errorf("after a wrong hash: %+v", st)
	}
	first := st.ErrorTime
	r.Advance(time.Hour)
	ask(r, 2) // another config, the same error: it keeps its time, and nothing is hashed again
	r.Step()
	if st = status(t, r); !st.ErrorTime.Equal(first) || len(rig.Calls(r, store.Verify)) != 0 {
		t.Errorf("an hour later: %+v", st)
	}
}

func TestDiskErrorIsTriedAgain(t *testing.T) {
	r := bench(t)
	rig.Fail(r, store.Verify, sha, agent.Fault{Code: store.FaultIO, Text: "disk on fire", Retry: true})
	r.Step()
	if st := status(t, r); !strings.Contains(st.Error, "disk on fire") ||
		st.ErrorRetryCondition == "" {
		t.Fatalf("after the fault: %+v", st)
	}
	r.Advance(retryAfter)
	if len(rig.Calls(r, store.Verify)) != 1 {
		t.Fatal("not tried again after a minute")
	}
	rig.Done(r, store.Verify, sha, store.VerifyRes{Sha256: sha, Size: 7})
	r.Step()
	if st := status(t, r); st.State != entity.VERIFIED || st.HasError() {
		t.Errorf("after the second hash: %+v", st)
	}
}

func TestReleaseHandshake(t *testing.T) {
	r := bench(t)
	ask(r, 0)
	r.Step()
	if st := status(t, r); !st.Expired || st.Of != rig.Rev(r, content.Verifies, sha) {
		t.Fatalf("after the release: %+v", st)
	}
	ask(r, 1) // a new reference before the last step cancels
	r.Step()
	if st := status(t, r); st.Expired || st.State != entity.VERIFYING {
		t.Fatalf("after the new reference: %+v", st)
	}
	rig.Delete(r, content.Verifies, sha)
	r.Step()
	if rig.Get(r, content.VerifyStatuses, sha) == nil {
		t.Fatal("a missing config in an incomplete table means nothing")
	}
	rig.Complete(r, content.Verifies)
	r.Step()
	if rig.Get(r, content.VerifyStatuses, sha) != nil {
		t.Error("the status outlives its config")
	}
}

func TestBadNameNeverBecomesAPath(t *testing.T) {
	r := rig.New(t, "verifier", New)
	bad := strings.Repeat("../", 21) + "x"
	rig.Put(r, content.Verifies, content.VerifyImageConfig{
		ImageSha256: strings.ReplaceAll(bad, "/", "_"), RefCount: 1})
	r.Step()
	if rows := rig.Rows(r, content.VerifyStatuses); len(rows) != 1 || !rows[0].HasError() ||
		len(rig.Calls(r, store.Verify)) != 0 {
		t.Errorf("a name that is no hash: %+v", rows)
	}
}

// TestAPP47_VerifierCrash ends every step of a verification in the same rows, with and without a
// crash in it.
func TestAPP47_VerifierCrash(t *testing.T) {
	run := func(crashAt int) content.VerifyImageStatus {
		r := bench(t)
		crash := func(step int) {
			if step == crashAt {
				r.Crash()
				r.Step()
			}
		}
		crash(0)
		rig.Put(r, store.Blobs, store.BlobSeen{Sha256: sha, Size: 7})
		rig.Done(r, store.Verify, sha, store.VerifyRes{Sha256: sha, Size: 7})
		crash(1)
		r.Step()
		crash(2)
		if n := len(rig.Calls(r, store.Verify)); n != 0 {
			t.Errorf("crash at %d: %d hashes too many", crashAt, n)
		}
		return status(t, r)
	}
	want := run(-1)
	for at := range 3 {
		if got := run(at); !reflect.DeepEqual(got, want) {
			t.Errorf("crash at %d: %+v, want %+v", at, got, want)
		}
	}
}
