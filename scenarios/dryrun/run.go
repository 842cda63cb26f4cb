package dryrun

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/nic"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// bootstrapFile is where a bootstrap configuration stands below /config.
const bootstrapFile = "bootstrap-config.pb"

// Tries are what a run may be asked besides its inputs.
type Tries struct {
	// OnLine takes the log lines of agents; may be nil.
	OnLine func(from string, at time.Duration, l agent.Line)
	// Agents replace those of the roster; nil keeps them.
	Agents []agent.Entry
}

// Run boots the device and waits until it settles. The error is a *Refusal where the device does
// not take an input in; all else that goes wrong stands in the report.
func (in *Inputs) Run(ctx context.Context, t Tries) (*Report, error) {
	site, err := twin.NewSite(twin.SiteOptions{Seed: in.seed})
	if err != nil {
		return nil, err
	}
	r, _, err := in.run(ctx, t, site)
	return r, err
}

// run runs the device at a site, and returns it as it is in the end.
func (in *Inputs) run(ctx context.Context, t Tries, site *twin.Site,
) (*Report, *twin.Device, error) {
	w := sim.New(sim.Options{Seed: in.seed, FullTurn: checkEvery + 4*uint64(in.objects())})
	if err := in.checkSigned(site, w.Wall()); err != nil {
		return nil, nil, err
	}
	o, err := in.Device(site)
	if err != nil {
		return nil, nil, err
	}
	o.OnLine, o.Agents = t.OnLine, t.Agents
	d, err := site.NewDevice(w, o)
	if err != nil {
		return nil, nil, err
	}
	in.Equip(d.Board)
	var refused error
	given := false
	fl := site.Controller.Fleet()
	fl.Watch(func(uuid string) {
		if r, ok := fl.Device(uuid); ok && !given {
			given = true
			_, refused = r.SetConfig(fleet.Change{Config: in.Config})
		}
	})
	demand(site, in.Config)
	if err := d.Boot(); err != nil {
		return nil, nil, err
	}
	watch := &watch{d: d, known: map[string]bool{}, quiet: quiet}
	settled := w.RunUntil(func() bool {
		return refused != nil || ctx.Err() != nil || watch.done()
	}, in.limit)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case refused != nil:
		return nil, nil, refuse("the controller does not take the configuration: %v", refused)
	case len(watch.wrong) > 0:
		return nil, nil, &Refusal{in.sources(watch.wrong)}
	}
	return in.report(d, site, settled), d, nil
}

// checkSigned refuses a ready bootstrap configuration that the device will not take: only the
// bundled controller's signature counts.
func (in *Inputs) checkSigned(site *twin.Site, now time.Time) error {
	for _, f := range in.Files {
		if f.Name != bootstrapFile {
			continue
		}
		_, err := eveapi.OpenBootstrap(f.Data, site.Controller.RootPEM(), now, eveapi.CertOptions{})
		if err != nil {
			return refuse("%s: %v; only the bundled controller's signature counts, give the "+
				"configuration itself with --bootstrap", f.Source, err)
		}
	}
	return nil
}

// Device are the options of a device with these inputs.
func (in *Inputs) Device(site *twin.Site) (twin.DeviceOptions, error) {
	files := map[string][]byte{}
	for _, f := range in.Files {
		files[f.Name] = f.Data
	}
	if in.Bootstrap != nil {
		b, err := site.Controller.Bootstrap(in.Bootstrap)
		if err != nil {
			return twin.DeviceOptions{}, err
		}
		files[bootstrapFile] = b
	}
	o := twin.DeviceOptions{Model: in.Network, Interfaces: in.Machine.Interfaces, Config: files,
		Limits: in.limits()}
	if o.Interfaces == nil {
		o.Interfaces = []nic.Interface{} // none at all, and not the default ones
	}
	if n := in.Machine.DiskBytes; n > 0 {
		o.Disk = disk.New(n, min(board.DefaultReserved, n/4))
	}
	return o, nil
}

// checkEvery is how many turns there are for each one that checks that its agent would do nothing
// more; with many objects there are more, as such a turn looks at all of them.
const checkEvery = 32

// objects is how many things the device has to do with.
func (in *Inputs) objects() int {
	c := in.Config
	return len(c.GetApps()) + len(c.GetVolumes()) + len(c.GetContentInfo()) +
		len(c.GetNetworkInstances()) + len(c.GetSystemAdapterList()) + len(in.Machine.Interfaces)
}

// limits are those of a device with as many objects: the usual ones are for a handful.
func (in *Inputs) limits() host.Limits {
	n := in.objects()
	return host.Limits{TurnsPerInstant: 100 + n, TurnsPerMinute: 1000 + 100*n,
		PutsPerMinute: 100 + 20*n, DurablePerHour: 60 + 10*n, Deadlines: 1000 + 10*n,
		Calls: 1000 + 10*n}
}

// Equip gives a board the architecture, sizes and adapters of the machine.
func (in *Inputs) Equip(b *board.Board) {
	b.Hyper.IOMMU, b.Hyper.PCI = true, in.Machine.PCI
	b.Hyper.Arch = in.Machine.Arch
	b.Hyper.MemoryMB, b.Hyper.CPUs = in.Machine.MemoryMB, in.Machine.CPUs
}

// sources makes the device's paths of files the user's.
func (in *Inputs) sources(lines []string) []string {
	out := slices.Clone(lines)
	for i := range out {
		for _, f := range in.Files {
			out[i] = strings.ReplaceAll(out[i], path.Join("/config", f.Name)+":", f.Source+":")
		}
		out[i] = flat(out[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// report is the last look at the device with what is known from elsewhere.
func (in *Inputs) report(d *twin.Device, site *twin.Site, settled bool) *Report {
	r := collect(d.Kernel(), hearsay{})
	r.Settled, r.OK = settled, settled && r.Onboarded
	r.VirtualS = d.Device.World().Now().Seconds()
	r.UnknownFields = append(r.UnknownFields, in.Unknown...)
	r.Notes = append(r.Notes, in.Notes...)
	for _, m := range site.Made() {
		r.MadeUp = append(r.MadeUp, m.Ref)
	}
	slices.Sort(r.MadeUp)
	r.MadeUp = slices.Compact(r.MadeUp)
	in.sort(r)
	if !r.OK {
		r.Error = in.verdict(d, r)
	}
	return r
}

// sort puts the objects in the order of the configuration; rows are in that of their UUIDs.
func (in *Inputs) sort(r *Report) {
	place := map[string]int{}
	put := func(id string) { place[strings.ToLower(id)] = len(place) }
	for _, n := range in.Config.GetNetworkInstances() {
		put(n.GetUuidandversion().GetUuid())
	}
	for _, c := range in.Config.GetContentInfo() {
		put(c.GetUuid())
	}
	for _, v := range in.Config.GetVolumes() {
		put(v.GetUuid())
	}
	for _, a := range in.Config.GetApps() {
		put(a.GetUuidandversion().GetUuid())
	}
	slices.SortStableFunc(r.NetworkInstances,
		func(a, b Instance) int { return place[a.ID] - place[b.ID] })
	slices.SortStableFunc(r.Content, func(a, b Content) int { return place[a.ID] - place[b.ID] })
	slices.SortStableFunc(r.Volumes, func(a, b Volume) int { return place[a.ID] - place[b.ID] })
	slices.SortStableFunc(r.Applications, func(a, b App) int { return place[a.ID] - place[b.ID] })
}

// verdict says in a line why the run did not come to a good end: the files, what did not happen,
// and what the device says is in its way.
func (in *Inputs) verdict(d *twin.Device, r *Report) string {
	text := ""
	if len(in.names) > 0 {
		text = strings.Join(in.names, " with ") + ": "
	}
	if r.Onboarded {
		text += fmt.Sprintf("not settled within %v: ", in.limit)
		if len(r.busy) == 0 {
			text += "it has not come to rest"
		}
		text += strings.Join(r.busy[:min(len(r.busy), 5)], ", ")
		if z := twin.Row(d.Kernel(), node.ZedAgent, "zedagent"); z != nil && z.HasError() {
			text += ": " + z.Error
		}
		return flat(text)
	}
	text += fmt.Sprintf("not onboarded within %v", in.limit)
	if c := twin.Row(d.Kernel(), node.Client, entity.Global); c != nil {
		text += ": at step " + c.Step
		if c.HasError() {
			text += ": " + c.Error
		}
	}
	for _, p := range r.Ports {
		if p.Error != "" {
			text += "; port " + p.Label + ": " + p.Error
		}
	}
	if len(r.Ports) == 0 {
		for _, c := range r.PortConfigs {
			if c.Error != "" {
				text += "; port configuration " + c.Key + ": " + c.Error
			}
		}
	}
	return flat(text)
}

// flat makes a line of a text.
func flat(text string) string { return oneLine(strings.ReplaceAll(text, "\n", "; ")) }
