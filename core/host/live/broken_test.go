package live_test

import (
	"context"
	"sync"
	"testing"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// A device that breaks takes nobody with it who has a record for it at that moment: those who give
// it records on goroutines of their own, as a hub does, are told nothing any more.
func TestRecordsForADeviceThatBroke(t *testing.T) {
	d, err := live.New(live.Options{Name: "edge", Hardware: &bench{}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	durable := make(chan struct{})
	stop, ended := make(chan struct{}), make(chan any, 1)
	go func() {
		defer func() { ended <- recover() }()
		_ = d.Run(context.Background()) // it panics
	}()
	if err := d.Do(t.Context(), func(*host.Kernel) {}); err != nil {
		t.Fatal(err)
	}
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			for {
				d.Durable(&host.Record{Agent: "a"}, func() {})
				select {
				case <-stop:
					d.Durable(&host.Record{Agent: "a"}, func() { close(durable) })
					return
				default:
				}
			}
		})
	}
	d.Post(func() { panic("the hub broke") })
	if cause := <-ended; cause != "the hub broke" {
		t.Errorf("the device ended with %v", cause)
	}
	close(stop)
	others.Wait()
	select {
	case <-durable:
		t.Error("a record is durable behind the end")
	default:
	}
}
