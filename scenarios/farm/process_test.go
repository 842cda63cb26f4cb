package farm_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"testing"
	"time"

	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/farm"
)

// Variables that make this test binary a worker: where the farm is, and at which of its runs it
// says so and stands still, as a process does that is about to be killed.
const (
	workerAt   = "EVETWIN_TEST_FARM"
	workerHold = "EVETWIN_TEST_FARM_HOLD"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(workerAt); url != "" {
		if err := workerProcess(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func workerProcess(url string) error {
	p, err := farm.ParsePlace(url)
	if err != nil {
		return err
	}
	conn, err := farm.Dial(farm.DialOptions{Place: p})
	if err != nil {
		return err
	}
	hold, err := strconv.Atoi(os.Getenv(workerHold))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	n := 0
	return farm.Work(ctx, farm.WorkerOptions{Conn: conn, Build: build,
		Carry: func(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
			return func(j *explore.Job) (*explore.Run, error) {
				if n++; n == hold {
					fmt.Println("holds", j.Seed)
					select {}
				}
				return j.Carry(fragile, look(0).Rules)
			}, nil
		}})
}

// process starts this test binary as a worker.
func process(t *testing.T, s *farm.Server, hold int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), workerAt+"="+s.URL(""), workerHold+"="+strconv.Itoa(hold))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
	return c, bufio.NewScanner(out)
}

// Of two worker processes one is killed in the middle of a run: no seed is lost, none counts twice,
// and the same violations are found as in one process.
func TestAKilledWorkerLosesNoSeed(t *testing.T) {
	o := look(70)
	want := run(t, o)
	if want.sum.Violations == 0 {
		t.Fatal("there is nothing to find")
	}
	s := serve(t, "embed", "")
	victim, lines := process(t, s, 7)
	other, _ := process(t, s, 0)
	crew := begin(t, farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: spec("kill")})
	o.Crew = crew
	killed := make(chan error, 1)
	go func() {
		lines.Scan()
		killed <- victim.Process.Kill()
	}()
	same(t, run(t, o), want)
	if err := await(t, killed); err != nil {
		t.Fatal(err)
	}
	if crew.Workers() != 2 || crew.Redelivered() == 0 {
		t.Errorf("%d workers, %d redelivered", crew.Workers(), crew.Redelivered())
	}
	if err := crew.Close(true, false); err != nil {
		t.Error(err)
	}
	if err := other.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- other.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the other worker: %v", err)
		}
	case <-time.After(soon):
		t.Error("the other worker does not end")
	}
}
