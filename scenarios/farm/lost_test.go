package farm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/farm"
)

// A server that is gone for longer than anybody waits ends the exploration and the workers, with an
// error that says so.
func TestALostServerEndsAllWithAnError(t *testing.T) {
	s := serve(t, "embed", "")
	brief := farm.DialOptions{Patience: 500 * time.Millisecond}
	conn := dial(t, s, brief)
	ended := make(chan error, 1)
	go func() {
		ended <- farm.Work(context.Background(),
			farm.WorkerOptions{Conn: conn, Build: build, Carry: quick})
	}()
	o := look(0)
	o.Crew = begin(t, farm.Options{Conn: dial(t, s, brief), Spec: spec("lost")})
	n := 0
	o.OnSeed = func(*explore.Run) {
		if n++; n == 10 {
			s.Close()
		}
	}
	_, err := explore.Explore(context.Background(), o)
	for _, err := range []error{err, await(t, ended)} {
		if err == nil || !strings.Contains(err.Error(), "is lost: it does not answer for 500ms") ||
			strings.Contains(err.Error(), "@") {
			t.Errorf("%v", err)
		}
	}
}

// A server that comes back in time, with its streams, is as if nothing had been.
func TestAServerThatComesBack(t *testing.T) {
	o := look(1000)
	want := toys(t, o)
	dir := t.TempDir()
	s := serve(t, "embed", dir)
	hire(t, s, 2, farm.WorkerOptions{Build: build, Carry: quick})
	said := make(chan string, 10)
	crew := begin(t, farm.Options{Spec: spec("back"),
		Conn: dial(t, s, farm.DialOptions{Say: func(text string) { said <- text }})})
	o.Crew = crew
	address, n := strings.Replace(s.URL(""), "nats:", "embed:", 1), 0
	got := outcome{}
	o.OnSeed = func(r *explore.Run) {
		got.runs = append(got.runs, r)
		if n++; n == 300 {
			s.Close()
			serve(t, address, dir)
		}
	}
	var err error
	if got.sum, err = explore.Explore(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	got.sum.Took = 0
	same(t, got, want)
	if away, back := await(t, said), await(t, said); !strings.Contains(away, "is away") ||
		!strings.Contains(back, "is back") {
		t.Errorf("%q, %q", away, back)
	}
	if err := crew.Close(true, false); err != nil {
		t.Error(err)
	}
}

func TestAFolderHasOneServer(t *testing.T) {
	dir := t.TempDir()
	one := serve(t, "embed", dir)
	p, err := farm.ParsePlace("embed")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := farm.Embed(p, dir); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two servers in a folder: %v", err)
	}
	token := one.URL("")
	one.Close()
	two := serve(t, strings.Replace(one.URL(""), "nats:", "embed:", 1), dir)
	if two.URL("") != token {
		t.Error("workers must come with another token")
	}
	p, err = farm.ParsePlace(strings.Replace(two.URL(""), "nats:", "embed:", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := farm.Embed(p, t.TempDir()); err == nil || strings.Contains(err.Error(), "@") ||
		!strings.Contains(err.Error(), "in use") {
		t.Errorf("two servers at a port: %v", err)
	}
}
