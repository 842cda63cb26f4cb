package hyper

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// meter adds up what the runs of a domain use.
type meter struct {
	before  uint64 // ns, of earlier runs
	current uint64 // ns
	most    uint64 // MiB
}

// take takes a sample in; a counter that went back is that of another run.
func (m *meter) take(cpu, memory uint64) {
	if cpu < m.current {
		m.before += m.current
	}
	m.current = cpu
	m.most = max(m.most, memory)
}

// sample is what one domain that is alive uses.
type sample struct{ cpu, memory uint64 }

// usage samples what domains and the machine use.
func (b *boot) usage(c host.Run[device.UsageReq, device.UsageRes]) {
	var alive []string
	for name, g := range b.guests { //order: each is sampled by itself
		if g.gone != nil {
			alive = append(alive, name)
		}
	}
	samples := map[string]sample{}
	var machine device.Usage
	c.Go(func(ctx context.Context) (device.UsageRes, *agent.Fault) {
		var err error
		if machine, err = readUsage(); err != nil || len(alive) == 0 {
			return device.UsageRes{}, fault(err)
		}
		e, err := b.use(ctx)
		if err != nil {
			return device.UsageRes{}, fault(err)
		}
		for _, name := range alive {
			if cpu, memory, err := e.use(name); err == nil { // one that ended meanwhile uses nothing
				samples[name] = sample{cpu, memory}
			}
		}
		return device.UsageRes{}, nil
	}, func(res device.UsageRes, f *agent.Fault) {
		if f == nil {
			res = b.report(samples)
			res.Host = machine
		}
		c.Finish(res, f)
	})
}

// report lists domains with their samples.
func (b *boot) report(samples map[string]sample) (res device.UsageRes) {
	for name, g := range b.guests { //order: sorted below
		x := samples[name]
		if _, ok := samples[name]; ok || g.gone == nil {
			g.spent.take(x.cpu, x.memory)
		}
		res.Domains = append(res.Domains, device.Usage{Name: name, AppID: g.row.AppID,
			CPUTotalNs: g.spent.before + g.spent.current, AllocatedMB: uint64(g.row.MemoryKiB >> 10),
			UsedMB: x.memory, MaxUsedMB: g.spent.most})
	}
	slices.SortFunc(res.Domains, func(x, y device.Usage) int {
		return strings.Compare(x.Name, y.Name)
	})
	return res
}

// readUsage is what the machine uses: the time its processors were not idle, and its memory.
func readUsage() (device.Usage, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return device.Usage{}, err
	}
	memory, err := readMemory()
	if err != nil {
		return device.Usage{}, err
	}
	var busy uint64
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, field := range strings.Fields(line) {
		const idle, iowait, guest = 4, 5, 9 // guests' time is in the user's, too
		if i == idle || i == iowait || i >= guest {
			continue
		}
		if n, err := strconv.ParseUint(field, 10, 64); err == nil {
			busy += n
		}
	}
	used := memory["MemTotal"] - memory["MemAvailable"]
	const tick = 10 * time.Millisecond // of /proc/stat, on every architecture
	return device.Usage{CPUTotalNs: busy * uint64(tick), AllocatedMB: memory["MemTotal"] >> 10,
		UsedMB: used >> 10, MaxUsedMB: used >> 10}, nil
}

// readMemory reads /proc/meminfo; values are KiB.
func readMemory() (map[string]uint64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	out := map[string]uint64{}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		if n, err := strconv.ParseUint(fields[0], 10, 64); err == nil {
			out[name] = n
		}
	}
	return out, nil
}
