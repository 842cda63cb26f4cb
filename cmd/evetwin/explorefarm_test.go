package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/cmd/cli"
)

// explored is what a result says that does not depend on the machine.
func explored(t *testing.T, out string) map[string]any {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, k := range []string{"seeds_per_min", "cpu_s", "workers", "redelivered"} {
		if _, has := r[k]; !has {
			t.Errorf("no key %s in %s", k, out)
		}
		delete(r, k)
	}
	return r
}

// A farm in this process, a worker beside it: the result is that of one process.
func TestExploreOnAFarm(t *testing.T) {
	list := []string{"explore", "standard", "--seeds", "12", "--faults", "flaky", "--json", "--save",
		t.TempDir()}
	_, alone, _ := evetwin(t, list...)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir()) // a named farm keeps its streams there
	address := fmt.Sprintf("word@%s", ln.Addr())
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	worked := make(chan int, 1)
	told, tell := io.Pipe()
	go func() {
		b := make([]byte, 4096)
		n, _ := told.Read(b) // the line for workers: the server listens
		go func() { _, _ = io.Copy(io.Discard, told) }()
		var errs bytes.Buffer
		if !strings.Contains(string(b[:n]), "evetwin explore --work --farm nats://"+address) {
			t.Errorf("%s", b[:n])
		}
		worked <- execute(ctx, []string{"explore", "--work", "--jobs", "1", "--farm", "nats://" + address,
			"--farm-name", "both"}, nil, io.Discard, &errs)
	}()
	var out bytes.Buffer
	code := execute(ctx, append(list, "--jobs", "0", "--farm", "embed://"+address, "--farm-name",
		"both"), nil, &out, tell)
	if !strings.Contains(out.String(), `"workers":1`) {
		t.Fatalf("exit %d, %s", code, out.String())
	}
	want, got := explored(t, alone), explored(t, out.String())
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the farm found %v, one process %v", got, want)
	}
	if code := <-worked; code != 0 {
		t.Errorf("the worker ends with %d", code)
	}
}

func TestFarmsThatAreRefused(t *testing.T) {
	for _, args := range [][]string{{"explore", "standard", "--farm", "http://secret@h"},
		{"explore", "standard", "--farm", "nats://secret@"}, {"explore", "--work"},
		{"explore", "--work", "--farm", "embed"}, {"explore", "standard", "--work", "--farm", "nats://h"},
		{"explore", "standard", "--farm-keep"}, {"explore", "standard", "--farm-keep", "--farm", "embed"},
		{"explore", "standard", "--farm", "embed", "--farm-name", "a b"},
		{"explore", "--plant", "retry-storm", "--farm", "embed"}} {
		code, out, errs := evetwin(t, args...)
		if code != cli.Refused || out != "" || strings.Count(errs, "\n") != 1 ||
			strings.Contains(errs, "secret") {
			t.Errorf("evetwin %v: exit %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}
