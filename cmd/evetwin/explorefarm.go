package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/farm"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// farmFlags say who carries runs out.
type farmFlags struct {
	url, name  string
	work, keep bool
}

func (f *farmFlags) add(l *pflag.FlagSet) {
	l.StringVar(&f.url, "farm", "", "spread the seeds over workers: the URL of a NATS server with "+
		"JetStream, nats://[TOKEN@|USER:PASSWORD@]HOST:PORT or tls://; \"embed\" starts one in this "+
		"process for this machine, embed://[TOKEN@]0.0.0.0:4222 one that others reach")
	l.BoolVar(&f.work, "work", false, "be a worker: run what others explore at --farm, until "+
		"interrupted, --for is over, or the exploration --farm-name is")
	l.StringVar(&f.name, "farm-name", "", "name of the exploration: one that was interrupted goes on "+
		"when it is begun again by its name (default: any name, and nothing stays)")
	l.BoolVar(&f.keep, "farm-keep", false,
		"leave the streams of an exploration on the server when it is over")
}

// farmHelp is what explore --help says of farms.
const farmHelp = `

--farm spreads the seeds over processes and machines. What is found does not depend on who
runs what, nor on workers that die: a job whose worker is silent for 20 s goes to another, and
a result counts once. This process works, too; --jobs 0 leaves it with coordinating. A worker
must be of the same build, else it refuses. A server that is lost is tried again for 60 s.
  evetwin explore standard --for 1h --farm embed://0.0.0.0:4222   prints the line for workers
  evetwin explore --work --farm nats://TOKEN@HOST:4222            on each other machine`

// farming is the farm of a command under way.
type farming struct {
	server *farm.Server
	conn   *farm.Conn
	flags  farmFlags
	many   bool // several scenarios are explored
	build  string
	jobs   int
	say    func(text string)
}

// openFarm connects to the farm, which may be in this process; nil without --farm.
func openFarm(out io.Writer, f *exploreFlags) (*farming, error) {
	if f.farm.url == "" {
		if f.farm.work || f.farm.name != "" || f.farm.keep {
			return nil, cli.Refuse(errors.New("--work, --farm-name and --farm-keep need --farm"))
		}
		return nil, nil
	}
	place, err := farm.ParsePlace(f.farm.url)
	if err == nil && f.farm.name != "" {
		err = farm.CheckName(f.farm.name)
	}
	switch {
	case err != nil:
		return nil, cli.Refuse(fmt.Errorf("--farm: %w", err))
	case f.plant != "":
		return nil, cli.Refuse(errors.New("--plant: mistakes are planted in one process, not on a farm"))
	case f.farm.work && place.Embed:
		return nil, cli.Refuse(errors.New("--work: a worker needs the URL of the farm it works for"))
	case f.farm.keep && f.farm.name == "":
		return nil, cli.Refuse(errors.New("--farm-keep: what stays needs a --farm-name"))
	}
	x := &farming{flags: f.farm, jobs: f.jobs, say: farmSay(out)}
	if x.build, err = buildName(); err != nil {
		return nil, err
	}
	if place.Embed {
		dir := ""
		if f.farm.name != "" {
			dir = filepath.Join(lab.DefaultDirs().State, "farm", f.farm.name)
		}
		if x.server, err = farm.Embed(place, dir); err != nil {
			return nil, err
		}
		for _, host := range x.server.Hosts() {
			x.say("workers: evetwin explore --work --farm " + x.server.URL(host))
		}
	}
	x.conn, err = farm.Dial(farm.DialOptions{Place: place, Server: x.server, Say: x.say})
	if err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

// farmSay tells people of the farm, a line at a time.
func farmSay(out io.Writer) func(text string) {
	var mu sync.Mutex
	start := ""
	if f, ok := out.(*os.File); ok && isTerminal(f) {
		start = "\r\x1b[K" // over the line of progress
	}
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "%sfarm: %s\n", start, text)
	}
}

func (x *farming) close() {
	if x == nil {
		return
	}
	if x.conn != nil {
		x.conn.Close()
	}
	if x.server != nil {
		x.server.Close()
	}
}

// hands are those who carry out the runs of a scenario; nil is this process.
type hands struct{ crew *farm.Crew }

// begin has the farm carry out the runs of a scenario.
func (x *farming) begin(ctx context.Context, sc *scenario.Scenario, p fault.Profile, first uint64,
	show *progress,
) (*hands, error) {
	if x == nil {
		return nil, nil
	}
	name := cmp.Or(x.flags.name, farm.AnyName(sc.Name))
	if x.flags.name != "" && x.many {
		name += "-" + sc.Name
	}
	crew, err := farm.Begin(ctx, farm.Options{Conn: x.conn, Stay: x.flags.name != "", Jobs: x.jobs,
		Spec:  farm.Spec{Name: name, Scenario: sc.Name, Profile: p.Name, First: first, Build: x.build},
		Carry: farmCarry, OnWorker: show.worker, Say: x.say})
	if err != nil {
		return nil, err
	}
	return &hands{crew: crew}, nil
}

func (h *hands) explore() explore.Crew {
	if h == nil {
		return nil
	}
	return h.crew
}

// took is how many took part, and how many runs had been given out before.
func (h *hands) took() (workers int, redelivered uint64) {
	if h == nil {
		return 1, 0
	}
	return h.crew.Workers(), h.crew.Redelivered()
}

// end leaves the farm, as a whole exploration or not; err is how it ended.
func (x *farming) end(h *hands, over bool, err error) error {
	if h == nil {
		return err
	}
	return errors.Join(err, h.crew.Close(over, x.flags.keep))
}

// farmCarry makes runs of the scenarios of this build, under all rules.
func farmCarry(s *farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
	sc, err := scenarios.Find(s.Scenario)
	if err != nil {
		return nil, err
	}
	return func(j *explore.Job) (*explore.Run, error) { return j.Carry(sc, check.Rules()) }, nil
}

// exploreWork is a worker of a farm.
func exploreWork(c *cobra.Command, names []string, f *exploreFlags) error {
	if len(names) > 0 {
		return cli.Refuse(fmt.Errorf("--work: the coordinator says what is explored, not %s",
			strings.Join(names, " ")))
	}
	x, err := openFarm(c.ErrOrStderr(), f)
	if err != nil {
		return err
	}
	defer x.close()
	defer debug.SetGCPercent(debug.SetGCPercent(exploreGC))
	ctx := c.Context()
	if f.during > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, f.during)
		defer stop()
	}
	return farm.Work(ctx, farm.WorkerOptions{Conn: x.conn, Build: x.build, Only: x.flags.name,
		Jobs: f.jobs, Carry: farmCarry, Say: x.say})
}

// buildName tells the builds of this program apart: the commit, and where the code was not what was
// committed, or nobody knows, what the program itself is, too.
func buildName() (string, error) {
	name, clean := cli.Revision(), false
	if i, ok := debug.ReadBuildInfo(); ok {
		for _, s := range i.Settings {
			clean = clean || s.Key == "vcs.modified" && s.Value == "false"
		}
	}
	if clean {
		return name, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	return name + "+" + hex.EncodeToString(h.Sum(nil)[:6]), nil
}
