package conform

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/web"
)

// showPartial leaves out how far a download is: that is chance.
func showPartial(row any) string {
	p := row.(*web.PartialSeen)
	if p.Whole {
		return fmt.Sprintf("%s whole, %d of %d", p.Target, p.Have, p.Size)
	}
	return p.Target + " has begun"
}

// download is a request for the file, through eth0.
func download(path, target string) web.FetchReq {
	return web.FetchReq{Via: webVia(), URL: "http://good.example/" + path, TLS: web.TLSWeb,
		Target: target, Stalled: 10 * time.Second}
}

// fetches downloads and wants the file, and its row in the turn that brings the outcome.
func (x *webBench) fetches(t *testing.T, q web.FetchReq, seed byte) {
	t.Helper()
	res := x.fetch.does(t, q, func() {
		p := x.partials.Get(q.Target)
		if p == nil || !p.Whole || p.Have != webFileSize || p.Size != webFileSize {
			t.Errorf("%s is fetched and seen as %+v", q.Target, p)
		}
	})
	if res.Size != webFileSize {
		t.Errorf("%s: %+v", q.Target, res)
	}
	x.outside(t, func() {
		if data := x.Content(q.Target); !bytes.Equal(data, webFile(seed)) {
			t.Errorf("%s has %d bytes, and not those of the file", q.Target, len(data))
		}
	})
}

// breaks downloads and wants it to break off, with some of it here.
func (x *webBench) breaks(t *testing.T, q web.FetchReq, code string) int64 {
	t.Helper()
	x.fetch.refuses(t, q, code, true)
	var have int64
	x.turn(t, func() {
		if p := x.partials.Get(q.Target); p != nil && !p.Whole {
			have = p.Have
		}
	})
	if have == 0 || have >= webFileSize {
		t.Errorf("%s broke off with %d bytes here", q.Target, have)
	}
	return have
}

// absent wants no row of a download.
func (x *webBench) absent(t *testing.T, target string) {
	t.Helper()
	x.until(t, target+" to vanish", func() bool { return x.partials.Get(target) == nil })
}

// asked wants that the servers were asked for this and nothing else since the last time.
func (x *webBench) asked(t *testing.T, want ...string) {
	t.Helper()
	if got := x.Site.take(); !slices.Equal(got, want) {
		t.Errorf("the servers were asked %q, want %q", got, want)
	}
}

func (x *webBench) file(t *testing.T) {
	x.fetches(t, download("file/a", "a"), 1)
	x.asked(t, "GET /file/a")
}

func (x *webBench) fileAgain(t *testing.T) {
	x.fetches(t, download("file/a", "a"), 1)
	x.asked(t)
}

func (x *webBench) brokenOff(t *testing.T) {
	have := x.breaks(t, download("broken/b", "b"), web.FaultReset)
	x.asked(t, "GET /broken/b")
	x.fetches(t, download("broken/b", "b"), 1)
	x.asked(t, fmt.Sprintf("GET /broken/b bytes=%d-", have))
}

func (x *webBench) otherContent(t *testing.T) {
	x.breaks(t, download("broken/c", "c"), web.FaultReset)
	x.Site.Publish(`"two"`, 2)
	x.fetches(t, download("broken/c", "c"), 2)
}

func (x *webBench) withoutTag(t *testing.T) {
	x.Site.Publish("", 3)
	for range 2 {
		x.Site.take()
		x.breaks(t, download("broken/d", "d"), web.FaultReset)
		x.asked(t, "GET /broken/d")
	}
	x.fetches(t, download("file/d", "d"), 3)
	x.Site.Publish(`"one"`, 1)
}

func (x *webBench) tooLarge(t *testing.T) {
	q := download("file/e", "e")
	q.MaxSize = webFileSize - 1
	x.fetch.refuses(t, q, web.FaultTooLarge, false)
	x.absent(t, "e")
	q.MaxSize++
	x.fetches(t, q, 1)
}

func (x *webBench) errorCode(t *testing.T) {
	x.fetch.refuses(t, download("teapot", "f"), web.FaultStatus, true)
	x.fetch.refuses(t, download("nothing-there", "f"), web.FaultStatus, true)
	x.absent(t, "f")
	q := download("file/f", "f")
	q.URL = "http://good.example:81/file/f"
	x.fetch.refuses(t, q, web.FaultConnRefused, true)
	q.URL = "good.example"
	x.fetch.refuses(t, q, web.FaultRefusedURL, false)
	for _, target := range []string{"", "a/b", ".a"} {
		x.fetch.refuses(t, download("file/f", target), web.FaultRefusedURL, false)
	}
}

func (x *webBench) fileElsewhere(t *testing.T) {
	x.Site.take()
	x.fetches(t, download("moved/file/g", "g"), 1)
	x.asked(t, "GET /moved/file/g", "GET /file/g")
}

func (x *webBench) stalled(t *testing.T) {
	q := download("silent/h", "h")
	q.Stalled = 500 * time.Millisecond
	began := time.Now()
	x.fetch.refuses(t, q, web.FaultStalled, true)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("noticed after %v", took)
	}
}

// slowly is a download of two seconds, over eth1.
func slowly(target string) web.FetchReq {
	q := download("paced/"+target, target)
	q.Via.IfName, q.Via.Source, q.Stalled = "eth1", netip.MustParseAddr(webSource1), time.Second
	return q
}

// begun waits until some of a download is seen.
func (x *webBench) begun(t *testing.T, target string) {
	t.Helper()
	x.until(t, "some of "+target, func() bool {
		p := x.partials.Get(target)
		return p != nil && p.Have > 0
	})
}

func (x *webBench) fileCable(t *testing.T) {
	broken := make(chan struct{})
	x.ask(func() {
		x.fetch.use.Want("x", slowly("i"))
		x.fetch.wait["x"] = func(c agent.Call[web.FetchRes]) {
			if c.Phase != agent.Failed || c.Fault.Code != web.FaultStalled {
				t.Errorf("without a cable: %+v %+v", c, c.Fault)
			}
			close(broken)
		}
	})
	x.begun(t, "i")
	x.outside(t, func() { x.Cable("eth1", false) })
	await(t, "the end of a download without a cable", broken)
	x.outside(t, func() { x.Cable("eth1", true) })
	x.Site.take()
	q := slowly("i")
	q.Stalled = 10 * time.Second // a kernel takes a second to believe in a carrier
	x.fetches(t, q, 1)
	if got := strings.Join(x.Site.take(), "; "); !strings.HasPrefix(got, "GET /paced/i bytes=") {
		t.Errorf("the servers were asked %q, want the rest", got)
	}
}

func (x *webBench) cancelFetch(t *testing.T) {
	got := x.fetch.cancels(t, slowly("j"), download("file/j", "j"),
		func() bool { p := x.partials.Get("j"); return p != nil && p.Have > 0 }, nil)
	if got.Phase != agent.Done || got.Res.Size != webFileSize {
		t.Errorf("behind a cancelled one: %+v %+v", got, got.Fault)
	}
}

func (x *webBench) removed(t *testing.T) {
	for range 2 {
		x.drop.does(t, web.TargetReq{Target: "a"}, func() {
			if p := x.partials.Get("a"); p != nil {
				t.Errorf("removed and seen as %+v", p)
			}
		})
	}
	x.fetches(t, download("file/a", "a"), 1)
}

func (x *webBench) becomesBlob(t *testing.T) {
	x.outside(t, func() { x.Take("a") })
	x.absent(t, "a")
}

func (x *webBench) deletes(t *testing.T) {
	x.fetches(t, download("file/b", "b"), 1)
	x.outside(t, func() { x.Meddle("b") })
	x.absent(t, "b")
	x.fetches(t, download("file/b", "b"), 1)
}

func (x *webBench) noRoom(t *testing.T) {
	x.outside(t, func() { x.Fill(1 << 20) })
	x.breaks(t, download("file/k", "k"), web.FaultNoSpace)
	x.outside(t, func() { x.Fill(-1) })
	x.Site.take()
	x.fetches(t, download("file/k", "k"), 1)
	if got := strings.Join(x.Site.take(), "; "); !strings.HasPrefix(got, "GET /file/k bytes=") {
		t.Errorf("the servers were asked %q, want the rest", got)
	}
}

func (x *webBench) cutHalfway(t *testing.T) {
	x.turn(t, func() { x.fetch.use.Want("y", slowly("l")) })
	x.begun(t, "l")
	x.cycle(t)
	x.booted(t)
	x.fetches(t, download("file/l", "l"), 1)
}

func (x *webBench) wholeAfterCut(t *testing.T) {
	x.cycle(t)
	x.booted(t)
	x.turn(t, func() {
		if p := x.partials.Get("l"); p == nil || !p.Whole || p.Have != webFileSize {
			t.Errorf("after a boot: %+v", p)
		}
	})
	x.Site.take()
	x.fetches(t, download("file/l", "l"), 1)
	x.asked(t)
}
