package downloader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/security"
)

// server answers what the agent asks: a registry that wants a token, and a disk.
type server struct {
	*rig.Rig
	fetches int
	steps   int
	crashAt int
}

// run answers one call after the other until there is none, with a crash before one of them.
func (s *server) run() {
	for range 100 {
		s.Step()
		if s.steps++; s.steps == s.crashAt {
			s.Crash()
			s.Step()
		}
		if !s.answer() {
			s.Step()
			return
		}
	}
}

// answer ends one call and reports whether there was one.
func (s *server) answer() bool {
	for _, c := range rig.Calls(s.Rig, web.Send) {
		res := web.SendRes{Code: 200}
		switch {
		case strings.Contains(c.Req.URL, "auth.io"):
			res.Kept = &security.Kept{Token: "token:1"}
		case c.Req.Login.Secret == "":
			res.Code, res.Header = 401, []web.Header{challenged(`Bearer realm="https://auth.io/t"`)}
		case strings.HasSuffix(c.Req.URL, "/1"):
			res.Header = []web.Header{{Name: "Docker-Content-Digest", Value: "sha256:" + sha}}
		}
		rig.Done(s.Rig, web.Send, c.Key, res)
		return true
	}
	for _, c := range rig.Calls(s.Rig, web.Fetch) {
		s.fetches++
		if s.fetches == 1 { // the first breaks half way
			rig.Put(s.Rig, web.Partials, web.PartialSeen{Target: c.Req.Target, Have: 3, Size: 9})
			rig.Fail(s.Rig, web.Fetch, c.Key, agent.Fault{Code: web.FaultReset, Text: "reset",
				Retry: true})
			return true
		}
		rig.Put(s.Rig, web.Partials, web.PartialSeen{Target: c.Req.Target, Have: 9, Size: 9,
			Whole: true})
		rig.Done(s.Rig, web.Fetch, c.Key, web.FetchRes{Size: 9})
		return true
	}
	for _, c := range rig.Calls(s.Rig, web.RemovePartial) {
		rig.Delete(s.Rig, web.Partials, c.Key)
		rig.Done(s.Rig, web.RemovePartial, c.Key, web.None{})
		return true
	}
	return false
}

// final is what others see, without revisions and counts.
func (s *server) final() string {
	var b strings.Builder
	for _, st := range rig.Rows(s.Rig, content.DownloadStatuses) {
		fmt.Fprintln(&b, st.ImageSha256, st.State, st.Expired, st.CurrentSize, st.Progress, st.Error)
	}
	for _, st := range rig.Rows(s.Rig, content.ResolveStatuses) {
		fmt.Fprintln(&b, st.Key(), st.ImageSha256, st.Error)
	}
	fmt.Fprintln(&b, rig.Rows(s.Rig, web.Partials))
	return b.String()
}

// TestAPP47_DownloaderCrash resolves a tag, downloads a blob over two ports and releases it, with a
// crash of the agent before one call after the other: the rows at the end are the same.
func TestAPP47_DownloaderCrash(t *testing.T) {
	story := func(crashAt int) (chapters []string, steps int) {
		s := &server{Rig: bench(t), crashAt: crashAt}
		ports(s.Rig, port("eth0", 0, "10.0.0.2"), port("eth1", 0, "10.0.1.2"))
		datastore(s.Rig, "hub", content.DsContainerRegistry, "reg.lab")
		act := func() {
			s.run()
			chapters = append(chapters, s.final())
		}
		c := content.ResolveConfig{DatastoreID: "hub", Name: "app:1"}
		rig.Put(s.Rig, content.Resolves, c)
		act()
		orderBlob(s.Rig, sha, "")
		act()
		release := *rig.Get(s.Rig, content.Downloads, sha)
		release.RefCount = 0
		rig.Put(s.Rig, content.Downloads, release)
		act()
		rig.Delete(s.Rig, content.Downloads, sha)
		rig.Delete(s.Rig, content.Resolves, c.Key())
		act()
		return chapters, s.steps
	}
	want, steps := story(-1)
	if !strings.Contains(want[0], "hub+app:1+0 "+sha) || !strings.Contains(want[1], "DOWNLOADED") ||
		!strings.Contains(want[2], "true 9 100") || strings.Contains(want[3], sha) || steps < 10 {
		t.Fatalf("the story itself is wrong: %q", want)
	}
	for at := 1; at <= steps; at++ {
		got, _ := story(at)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("crash at step %d of %d, chapter %d:\n%s\nwant\n%s", at, steps, i, got[i],
					want[i])
			}
		}
	}
}
