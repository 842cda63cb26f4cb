package hub_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Whoever begins first, rows arrive; who comes late gets all that is there, once, and at once
// whether it is complete.
func TestAgentsMeet(t *testing.T) {
	dir := short(t)
	a := launch(t, dir, "a")
	start(t, dir, "hub")
	a.await("began () ()")
	a.tells("put one 1", "put two 2", "complete")
	a.await("did complete")
	b := start(t, dir, "b")
	b.await("began (one=1,two=2) () true")
	a.tell("delete one")
	b.await("note one gone true")
	a.tell("put two 3")
	if _, before := b.await("note two 3"); has(before, "torn") {
		t.Error("a turn was seen in halves")
	}
	a.tell("exact 18446744073709551615")
	b.await("note exact 18446744073709551615 -9223372036854775807")
	a.tell("exact 9007199254740993")
	b.await("note exact 9007199254740993 -4503599627370496")
}

// The rows of an agent that was killed stay, it is shown them when it returns, and goes on above
// their revisions. What was deleted while a subscriber was away is gone for it when it is back.
func TestDEV12_KilledAgentsReturn(t *testing.T) {
	dir, _, a, b := device(t)
	a.tells("put one 1", "put two 2", "deed done 1", "complete")
	b.await("deed done 1")
	a.kill()
	a = start(t, dir, "a")
	a.await("began (one=1,two=2) (done=1)")
	b.kill()
	a.tells("delete one", "put two 3", "deed done 2")
	a.settle()
	b = start(t, dir, "b")
	b.await("began (two=3)")
	if l, _ := b.await("notes"); !strings.Contains(l, "1 there") {
		t.Error(l)
	}
}

// A hub that was killed finds its journal, the agents say their tables again and nobody sees a row
// less meanwhile: b is not told that anything is gone, nor shown anything older than it saw.
func TestKilledHubReturns(t *testing.T) {
	dir, h, a, b := device(t)
	a.tells("put one 1", "deed done 1", "complete")
	b.await("note one 1")
	b.await("deed done 1")
	a.settle() // an agent whose durable turn is under way waits for the hub
	h.kill()
	a.await("line host hub the hub has gone")
	a.tells("put two 2", "put one 2")
	a.tell("deed done 2") // waits for a journal
	a.await("did deed")
	h = start(t, dir, "hub")
	_, before := b.await("deed done 2")
	if has(before, "note one gone") || has(before, "deed done gone") || has(before, "deed done 1") ||
		has(before, "torn") {
		t.Errorf("b saw %q", before)
	}
	if !has(before, "note two 2") || !has(before, "note one 2") {
		_, more := b.await("note")
		t.Logf("%q then %q", before, more)
	}
	a.kill()
	h.kill()
	start(t, dir, "hub")
	a = start(t, dir, "a")
	a.await("began () (done=2)")
	a.tell("put three 3")
	b.awaitAll("note one gone false", "note two gone false", "note three 3")
}

// The call of an agent that was killed is cancelled, and its key fenced until it has really ended:
// the agent that returns never has two runs of one key.
func TestCallsAreFencedOverRestarts(t *testing.T) {
	dir, h, a, b := device(t)
	a.tell("work one quick")
	a.await("done one well-quick")
	a.tell("work two hang")
	b.await("thing two begun 1")
	a.kill()
	a = start(t, dir, "a")
	a.tell("work two again")
	a.await("done two well-again")
	b.await("thing two ended 2") // would be "doubled"
	a.tell("work three hang")
	b.await("thing three begun")
	a.tells("drop three", "work three quick")
	a.await("done three well-quick")
	a.tell("work five hang")
	b.await("thing five begun 1")
	a.tell("drop five")
	b.await("thing five ended 1")
	a.tell("work four hang")
	b.await("thing four begun 1")
	h.kill() // what ran in it is lost with it: the agent asks again
	start(t, dir, "hub")
	b.await("thing four begun 1")
	a.tell("work four quick")
	a.await("done four well-quick")
	b.await("thing four ended 2")
}

// A reader that stands still stalls nobody: the publisher goes on, others see it, and the reader
// gets the newest of everything when it goes on, without what was between.
func TestStoppedReaderStallsNobody(t *testing.T) {
	_, h, a, b := device(t)
	a.tell("many 1000 0")
	b.await("notes 1000 moved")
	b.signal(syscall.SIGSTOP)
	before := resident(t, h)
	for i := range 200 {
		a.tell("many 1000 %d", i+1)
	}
	a.tells("deed last 1", "work last quick")
	a.await("done last well-quick")
	grown := resident(t, h) - before
	b.signal(syscall.SIGCONT)
	_, lines := b.await("note row-000000 200 0")
	if n := len(lines); n > 1500 {
		t.Errorf("b was told %d things before the newest", n)
	}
	if grown > 64<<10 {
		t.Errorf("the hub grew by %d KiB for 200 MiB that were not read", grown)
	}
}

// resident is the memory of a process in KiB.
func resident(t *testing.T, p *process) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, rss int
	if _, err := fmt.Sscan(string(b), &size, &rss); err != nil {
		t.Fatal(err)
	}
	return rss * os.Getpagesize() / 1024
}

// A hub that stands still stalls no agent: it goes on with its turns, forgets what it could not
// say, and says the newest when the hub goes on.
func TestStoppedHub(t *testing.T) {
	_, h, a, b := device(t)
	a.tell("put one 1")
	b.await("note one 1")
	h.signal(syscall.SIGSTOP)
	for i := range 20 {
		a.tell("many 1000 %d", i)
	}
	a.tell("put one 2")
	a.await("did put one 2")
	h.signal(syscall.SIGCONT)
	if _, before := b.await("note one 2"); has(before, "torn") {
		t.Error("a turn was seen in halves")
	}
	a.tell("work one quick")
	a.await("done one well-quick")
}

// Programs with other row types meet: what they both know arrives, a row that cannot be read is set
// aside and named and keeps its table from being complete, and what is stored for a later program
// is still there when that comes back.
func TestProgramsOfOtherVersions(t *testing.T) {
	dir := short(t)
	start(t, dir, "hub")
	b := start(t, dir, "b")
	later := start(t, dir, "a-new")
	b.awaitAll("line host Deed a/Deed/next: a row is set aside: its version is 1, known is 0",
		"line host Twin a/Twin/odd: a row is set aside: read row of a/Twin: json:", "note rich 7 0")
	later.kill()
	a := launch(t, dir, "a")
	a.await("line host Deed a/Deed/next: a row is set aside")
	a.await("line host Twin a/Twin/odd: a row of an earlier program is dropped")
	a.await("began (rich=7) ()")
	a.tells("complete", "deed mine 1")
	b.await("deed mine 1")
	a.kill()
	start(t, dir, "a-new")
	b.kill()
	b = start(t, dir, "b")
	if l, _ := b.await("began"); l != "began (rich=7) (mine=1) true" {
		t.Error(l)
	}
}

// One process is the agent of a name; a second one waits for it to end and is refused if it does
// not.
func TestOneProcessPerAgent(t *testing.T) {
	dir := short(t)
	start(t, dir, "hub")
	a := start(t, dir, "a")
	second := launch(t, dir, "a")
	if l, _ := second.await("error"); !strings.Contains(l, fmt.Sprintf("process %d is [a] already",
		a.cmd.Process.Pid)) {
		t.Error(l)
	}
	third := launch(t, dir, "a")
	a.kill()
	third.await("ready")
}

// A second hub does not take the socket of one that lives.
func TestOneHub(t *testing.T) {
	dir := short(t)
	start(t, dir, "hub")
	if l, _ := launch(t, dir, "hub").await("error"); !strings.Contains(l, "another hub may live") {
		t.Error(l)
	}
	start(t, dir, "a").tell("put one 1")
}

// settle waits until what the agent did so far is visible: calls begin behind it.
func (p *process) settle() {
	p.t.Helper()
	p.tell("work settled quick")
	if _, before := p.await("done settled"); has(before, "done before its rows") {
		p.t.Error("an outcome overtook the rows it caused")
	}
}

// awaitAll reads lines until there was one for each prefix.
func (p *process) awaitAll(prefixes ...string) {
	p.t.Helper()
	for len(prefixes) > 0 {
		l, ok := p.next()
		if !ok {
			p.t.Fatalf("%s: no lines %q", p.role, prefixes)
		}
		prefixes = slices.DeleteFunc(prefixes, func(x string) bool { return strings.HasPrefix(l, x) })
	}
}

func has(lines []string, prefix string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			return true
		}
	}
	return false
}
