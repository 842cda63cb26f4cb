package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// device tells what the device is and how it is.
func (o *Overview) device(s *Stage, width, height int) widget.Block {
	w, _ := widget.Inner(width, height)
	f := facts{wide: 12, width: w}
	f.add("state", State(s))
	f.add("name", deviceName(s))
	f.add("identity", identity(s))
	roomy := height >= 24
	if roomy {
		f.add("hardware", hardware(s.State))
	}
	f.add("boot", bootFact(s))
	f.add("light", light(s, w-f.wide))
	f.add("controller", controller(s))
	f.add("traffic", traffic(s))
	f.add("config", configuration(s))
	f.add("keys", keys(s))
	f.add("hypervisor", hypervisor(s.State))
	if roomy {
		f.add("memory", memory(s))
		f.add("storage", storage(s))
	}
	return widget.Box{Title: "Device"}.Render(f.out, width, min(height, len(f.out)+2), s.Theme)
}

// State is the device's state in a word, with a sign.
func State(s *Stage) widget.Line {
	z := source.Get(s.State, node.ZedAgent, "zedagent")
	on := s.Theme.On + " "
	switch {
	case s.State.Device.Off:
		return widget.Text(style.Warn, s.Theme.Off+" OFF")
	case z == nil || z.DeviceState == node.StateUnspecified:
		return widget.Text(style.Busy, s.Theme.Part+" BOOTING")
	case z.MaintenanceMode:
		return widget.Text(style.Warn, s.Theme.Warn+" MAINTENANCE_MODE")
	case z.DeviceState == node.StateOnline:
		return widget.Text(style.Good, on+z.DeviceState.String())
	}
	return widget.Text(style.Warn, s.Theme.Part+" "+z.DeviceState.String())
}

func deviceName(s *Stage) widget.Line {
	l := widget.Text(style.Strong, s.State.Device.Name)
	if i := source.Get(s.State, node.Info, entity.Global); i != nil {
		for _, x := range []string{i.DeviceName, i.ProjectName, i.EnterpriseName} {
			if x != "" && x != s.State.Device.Name {
				l = l.Put(style.Dim, " "+s.Theme.Sep+" ").Put(style.Plain, x)
			}
		}
	}
	return l
}

func identity(s *Stage) widget.Line {
	ob := source.Get(s.State, node.Onboarding, entity.Global)
	if ob != nil && ob.DeviceUUID != "" {
		return widget.Text(style.Accent, ob.DeviceUUID)
	}
	return widget.Text(style.Busy, s.Theme.Part+" not onboarded")
}

func hardware(s *source.State) widget.Line {
	if ob := source.Get(s, node.Onboarding, entity.Global); ob != nil && ob.HardwareModel != "" {
		return widget.Text(style.Plain, ob.HardwareModel)
	}
	if h := source.Get(s, hyper.Host, "host"); h != nil {
		return widget.Text(style.Plain, strings.Trim(h.Manufacturer+"."+h.Product, "."))
	}
	return widget.Line{}
}

func bootFact(s *Stage) widget.Line {
	l := widget.Text(style.Plain, strconv.FormatUint(s.State.Device.Boot, 10)).
		Put(style.Dim, ", up ").Put(style.Plain, span(s.State.Up(s.Now)))
	if n := source.Get(s.State, node.NodeAgent, "nodeagent"); n != nil &&
		n.BootReason != node.BootReasonNone {
		l = l.Put(style.Dim, ", reason "+strings.TrimPrefix(n.BootReason.String(), "BootReason"))
	}
	if b := source.Get(s.State, boot.Boot, "boot"); b != nil && b.PowerCycled {
		l = l.Put(style.Dim, ", power was off")
	}
	return l
}

// controller is how the device and its controller get on.
func controller(s *Stage) widget.Line {
	z := source.Get(s.State, node.ZedAgent, "zedagent")
	if z == nil || z.ConfigGetStatus == 0 {
		c := source.Get(s.State, node.Client, entity.Global)
		if c == nil {
			return widget.Text(style.Dim, s.Theme.Off+" not asked yet")
		}
		l := widget.Text(style.Busy, s.Theme.Part+" onboarding: ").Put(style.Plain, c.Step)
		if c.Tries > 1 {
			l = l.Put(style.Warn, ", try "+strconv.Itoa(c.Tries))
		}
		return l
	}
	switch z.ConfigGetStatus {
	case node.ConfigGetSuccess:
		l := widget.Text(style.Good, s.Theme.On+" answers")
		if when := ago(z.LastReceivedConfig, s.State.Wall(s.Now)); when != "" {
			l = l.Put(style.Dim, ", asked "+when)
		}
		return l
	case node.ConfigGetReadSaved:
		return widget.Text(style.Warn, s.Theme.Warn+" not reached, saved configuration in use")
	case node.ConfigGetTemporaryFail:
		return widget.Text(style.Warn, s.Theme.Warn+" fails at times ").Put(style.Plain, z.Error)
	}
	return widget.Text(style.Bad, s.Theme.Cross+" not reached ").Put(style.Plain, z.Error)
}

// traffic counts exchanges of all agents.
func traffic(s *Stage) widget.Line {
	var good, bad, last int64
	by := ""
	for _, owner := range metrics.Maps.Owners() {
		m := source.Get(s.State, metrics.Maps.Of(owner), entity.Global)
		if m == nil {
			continue
		}
		for _, p := range m.Ports {
			good, bad = good+p.SuccessCount, bad+p.FailureCount
			if p.LastSuccess > last {
				last, by = p.LastSuccess, p.Interface
			}
		}
	}
	if good+bad == 0 {
		return widget.Line{}
	}
	l := widget.Text(style.Plain, count(int(good), "exchange"))
	if by != "" {
		l = l.Put(style.Dim, " over ").Put(style.Plain, by)
	}
	if bad > 0 {
		l = l.Put(style.Dim, ", ").Put(style.Warn, strconv.FormatInt(bad, 10)+" failed")
	}
	if last > 0 {
		l = l.Put(style.Dim, ", last "+ago(time.Unix(last, 0), s.State.Wall(s.Now)))
	}
	return l
}

func configuration(s *Stage) widget.Line {
	z := source.Get(s.State, node.ZedAgent, "zedagent")
	if z == nil || z.ConfigVersion == "" {
		return widget.Text(style.Dim, s.Theme.Off+" none yet")
	}
	l := widget.Text(style.Dim, "version ").Put(style.Accent, z.ConfigVersion)
	if when := ago(z.LastProcessedConfig, s.State.Wall(s.Now)); when != "" {
		l = l.Put(style.Dim, ", taken "+when)
	}
	return l
}

// keys tells where the device's key lives.
func keys(s *Stage) widget.Line {
	st := source.Get(s.State, security.Tpm, entity.Global)
	m := source.Get(s.State, tpm.Module, "tpm")
	kind := ""
	if m != nil {
		kind = strings.TrimSpace(m.Kind + " " + m.Vendor + " " + m.Firmware)
	}
	switch {
	case st == nil && m == nil:
		return widget.Line{}
	case st == nil || !st.Ready:
		return widget.Text(style.Busy, s.Theme.Part+" being made").Put(style.Dim, ", "+kind)
	case st.InTPM:
		return widget.Text(style.Good, s.Theme.On+" in the TPM").Put(style.Dim, ", "+or(kind, st.Kind))
	}
	return widget.Text(style.Warn, s.Theme.Warn+" in software").Put(style.Dim, ", "+or(kind, st.Kind))
}

func hypervisor(s *source.State) widget.Line {
	h := source.Get(s, hyper.Host, "host")
	if h == nil {
		return widget.Line{}
	}
	l := widget.Text(style.Plain, h.Hypervisor).Put(style.Dim, ", ").
		Put(style.Plain, count(int(h.Ncpus), "CPU"))
	if h.Detail != "" {
		l = l.Put(style.Dim, ", "+h.Detail)
	}
	return l
}

func memory(s *Stage) widget.Line {
	m := source.Get(s.State, domain.Host, entity.Global)
	if m == nil || m.TotalMemoryMB == 0 {
		return widget.Line{}
	}
	used := 1 - float64(m.FreeMemoryMB)/float64(m.TotalMemoryMB)
	return gauge(s, used).Put(style.Plain, " "+size(float64(m.FreeMemoryMB)*(1<<20))).
		Put(style.Dim, " free of ").Put(style.Plain, size(float64(m.TotalMemoryMB)*(1<<20)))
}

func storage(s *Stage) widget.Line {
	v := source.Get(s.State, volume.Mgr, "volumemgr")
	if v == nil || !v.Initialized {
		return widget.Line{}
	}
	return widget.Text(style.Plain, size(float64(v.RemainingSpace))).
		Put(style.Dim, " left for applications")
}

// gauge is a short bar that turns to a warning when it is nearly full.
func gauge(s *Stage, used float64) widget.Line {
	role := style.Good
	switch {
	case used > 0.95:
		role = style.Bad
	case used > 0.85:
		role = style.Warn
	}
	return widget.Bar(used, 10, role, s.Theme)
}

// apps is a line for each application.
func (o *Overview) apps(s *Stage, width, height int) widget.Block {
	w, _ := widget.Inner(width, height)
	var body widget.Block
	list := source.All(s.State, app.Statuses)
	for _, a := range list {
		l := appSign(s, a).Put(style.Plain, " ").Put(style.Strong, a.DisplayName)
		l = l.Fit(min(20, w*2/5), s.Theme).Put(style.Plain, " ")
		body = append(body, l.Join(appState(s, a, w-l.Width())))
	}
	if len(list) == 0 {
		body = append(body, widget.Text(style.Dim, "none"))
	}
	rest := max(0, height-2)
	if len(body) > rest && rest > 0 {
		body[rest-1] = widget.Text(style.Dim, fmt.Sprintf("%s and %d more", s.Theme.Ellipsis,
			len(list)-rest+1))
	}
	note := widget.Line{}
	if u := source.Get(s.State, app.Summary, entity.Global); u != nil {
		for _, x := range []struct {
			n    uint8
			what string
			role style.Role
		}{{u.TotalRunning, "running", style.Good}, {u.TotalStarting, "starting", style.Busy},
			{u.TotalStopping, "stopping", style.Warn}, {u.TotalError, "failed", style.Bad}} {
			if x.n > 0 && note.Width() > 0 {
				note = note.Put(style.Dim, ", ")
			}
			if x.n > 0 {
				note = note.Put(x.role, fmt.Sprintf("%d %s", x.n, x.what))
			}
		}
	}
	return widget.Box{Title: "Applications", Note: note}.
		Render(body, width, min(height, min(len(body), max(3, height/2))+2), s.Theme)
}
