package dryrun

import (
	"fmt"
	"maps"
	"syscall"
	"testing"
	"time"
)

// many is the limit of objects of one kind.
const many = 900

// large are configurations that hardly anybody has. They are answered all the same: add adds the
// objects of number k, and end says how many of a kind come to a state.
var large = []struct {
	name string
	n    int
	add  func(p *plant, k int)
	end  map[string]int
}{
	{"applications", many, func(p *plant, k int) { p.file(k); p.disk(k); p.app(k, 512_000) },
		map[string]int{"content LOADED": many, "volume CREATED_VOLUME": many,
			"application RUNNING": 115, "application INSTALLED": 785}},
	{"instances", many, func(p *plant, k int) { p.instance(k) },
		map[string]int{"instance ONLINE": 255, "instance ERROR": 645}},
	{"images", many, func(p *plant, k int) { p.image(k) }, map[string]int{"content LOADED": many}},
	{"waiting", many, func(p *plant, k int) { p.blank(k); p.app(k, 900_000_000) },
		map[string]int{"volume CREATED_VOLUME": many, "application INSTALLED": many}},
	{"shared volumes", many, func(p *plant, k int) {
		p.blank(k)
		p.app(k, 512_000)
		p.share(8)
	}, map[string]int{"volume CREATED_VOLUME": 448, "volume LOADED": 452, "application RUNNING": 1,
		"application LOADED": 447, "application INITIAL": 452}},
	{"mix", 300, func(p *plant, k int) {
		p.instance(k)
		p.image(k)
		p.disk(k)
		p.app(k, 512_000, k)
	}, map[string]int{"instance ONLINE": 255, "instance ERROR": 45, "content LOADED": 300,
		"volume CREATED_VOLUME": 300, "application RUNNING": 104, "application INSTALLED": 185,
		"application AWAITNETWORKINSTANCE": 11}},
	{"running", 200, func(p *plant, k int) {
		if k%20 == 0 {
			p.instance(k)
		}
		p.blank(k)
		p.app(k, 10_000, k/20*20)
	}, map[string]int{"instance ONLINE": 10, "volume CREATED_VOLUME": 200,
		"application RUNNING": 200}},
	{"interfaces", 255, func(p *plant, k int) {
		if k < 16 {
			p.instance(k)
		}
		p.blank(k)
		p.app(k, 1_000, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	}, map[string]int{"instance ONLINE": 16, "volume CREATED_VOLUME": 255, "application RUNNING": 62,
		"application INSTALLED": 193}},
}

// ends counts the objects of a report by kind and state.
func ends(r *Report) map[string]int {
	out := map[string]int{}
	for _, a := range r.Applications {
		out["application "+a.State]++
	}
	for _, v := range r.Volumes {
		out["volume "+v.State]++
	}
	for _, c := range r.Content {
		out["content "+c.State]++
	}
	for _, n := range r.NetworkInstances {
		out["instance "+n.State]++
	}
	return out
}

// used is the processor time that this process has used; what others do meanwhile does not count.
func used(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}

// A device with many objects settles, and its agents look only at what has changed: were they to
// look at everything each time, this would take a minute.
func TestLargeConfigurationsAreQuick(t *testing.T) {
	const limit = 8 * time.Second
	model := bigModel(t)
	for _, c := range large {
		t.Run(c.name, func(t *testing.T) {
			p := &plant{}
			for k := range c.n {
				c.add(p, k)
			}
			path := p.write(t)
			before := used(t)
			exit, lines, r := outcome(t, Options{Config: path, Model: model})
			if took := used(t) - before; took > limit {
				t.Errorf("took %v of processor time, at most %v are allowed", took, limit)
			}
			if exit != 0 {
				t.Fatalf("exit %d %q", exit, lines)
			}
			if got := ends(r); !maps.Equal(got, c.end) {
				t.Errorf("came to %v, want %v", got, c.end)
			}
		})
	}
}

// One object more than the limit is refused with a line that says so.
func TestTooManyObjectsAreRefused(t *testing.T) {
	p := &plant{}
	for k := range many + 1 {
		p.blank(k)
	}
	path := p.write(t)
	exit, lines, _ := outcome(t, Options{Config: path})
	want := fmt.Sprintf("%s: volumes: %d objects exceed the limit of %d", path, many+1, many)
	if exit != 2 || len(lines) != 1 || lines[0] != want {
		t.Errorf("exit %d %q, want 2 %q", exit, lines, want)
	}
}
