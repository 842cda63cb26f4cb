package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/tui/source"
	"github.com/evetwin/evetwin/tui/style"
	"github.com/evetwin/evetwin/tui/widget"
)

// appFacts tells all about an application.
func appFacts(s *Stage, f *facts, x *app.AppInstanceStatus) {
	now := s.State.Wall(s.Now)
	st := widget.Text(stateRole(x.State), stateSign(s, x.State)+" "+x.State.String())
	if x.State == entity.RUNNING {
		st = widget.Text(style.Good, s.Theme.On+" RUNNING").Put(style.Dim, " since "+
			x.BootTime.UTC().Format("15:04:05Z")+", "+ago(x.BootTime, now))
	}
	f.add("state", st)
	errorFacts(s, f, &x.ErrorDescription)
	progressFacts(s, f, x)
	for i := range x.VolumeRefStatusList {
		downloadFacts(s, f, treeOf(s, &x.VolumeRefStatusList[i]))
	}
	f.add("resources", widget.Text(style.Plain, count(x.FixedResources.VCpus, "CPU")).
		Put(style.Dim, ", ").Put(style.Plain, size(float64(x.FixedResources.Memory)*1024)))
	f.say("id", style.Dim, x.UUID+" version "+x.Version)
	if d := source.Get(s.State, domain.Statuses, x.UUID); d != nil {
		l := widget.Text(style.Plain, d.DomainName).Put(style.Dim, " id "+strconv.Itoa(d.DomainId))
		if d.TriedCount > 1 {
			l = l.Put(style.Warn, ", "+strconv.Itoa(d.TriedCount)+" tries")
		}
		f.add("guest", l)
	}
	for i := range x.AppNetAdapters {
		adapterFacts(s, f, x.UUID, &x.AppNetAdapters[i])
	}
	for i := range x.VolumeRefStatusList {
		volumeFacts(s, f, &x.VolumeRefStatusList[i])
	}
	if len(x.IoAdapterList) > 0 {
		f.head("Adapters")
	}
	for _, io := range x.IoAdapterList {
		f.out = append(f.out, widget.Text(style.Plain, io.Name))
	}
}

// progressFacts tells what is under way.
func progressFacts(s *Stage, f *facts, x *app.AppInstanceStatus) {
	now := s.State.Wall(s.Now)
	if x.RestartInprogress != app.NotInprogress {
		f.say("restart", style.Warn, x.RestartInprogress.String()+", began "+
			ago(x.RestartStartedAt, now))
	}
	if x.PurgeInprogress != app.NotInprogress {
		f.say("purge", style.Warn, x.PurgeInprogress.String()+", began "+ago(x.PurgeStartedAt, now))
	}
	var waits []string
	if x.MissingMemory {
		waits = append(waits, "memory")
	}
	if x.MissingNetwork {
		waits = append(waits, "its network")
	}
	if x.NoBootPriority {
		waits = append(waits, "others to boot first")
	}
	f.say("waits for", style.Warn, strings.Join(waits, ", "))
}

// adapterFacts tells about an interface of an application.
func adapterFacts(s *Stage, f *facts, id string, n *network.AppNetAdapterStatus) {
	f.head("Interface " + n.Name)
	name := n.Network
	for _, x := range source.All(s.State, network.InstanceStatus) {
		if x.UUID == n.Network && x.DisplayName != "" {
			name = x.DisplayName
		}
	}
	f.add("network", widget.Text(style.Strong, name).
		Put(style.Dim, strings.TrimRight(" "+n.Vif+" "+n.Mac, " ")))
	if a := adapterAddresses(n); a != "" {
		l := widget.Text(style.Accent, a)
		if len(n.AssignedAddresses) == 0 {
			l = l.Put(style.Dim, " promised, not seen yet")
		}
		f.add("address", l)
	}
	for i, m := range portMaps(s, id, n) {
		f.say(first(i, "port maps"), style.Accent, m)
	}
}

// volumeFacts tells about a volume of an application, and where its content comes from.
func volumeFacts(s *Stage, f *facts, v *volume.VolumeRefStatus) {
	f.head("Volume " + or(v.DisplayName, v.VolumeID))
	l := widget.Text(stateRole(v.State), stateSign(s, v.State)+" "+v.State.String())
	if v.ContentFormat != content.FmtUnknown {
		l = l.Put(style.Dim, ", "+v.ContentFormat.String())
	}
	if v.MaxVolSize > 0 {
		l = l.Put(style.Dim, ", at most "+size(float64(v.MaxVolSize)))
	}
	f.add("state", l)
	switch tree := treeOf(s, v); {
	case tree != nil:
		treeFacts(s, f, tree)
	case v.Progress > 0 && v.Progress < 100:
		f.add("progress", widget.Bar(float64(v.Progress)/100, 20, style.Busy, s.Theme).
			Put(style.Plain, fmt.Sprintf(" %d%%", v.Progress)))
	}
}

// treeOf is the content that a volume is made of, nil without any.
func treeOf(s *Stage, v *volume.VolumeRefStatus) *content.ContentTreeStatus {
	if st := source.Get(s.State, volume.Statuses, v.VolumeKey()); st != nil {
		return source.Get(s.State, content.TreeStatuses, st.ContentID)
	}
	return nil
}

// treeFacts tells about content.
func treeFacts(s *Stage, f *facts, t *content.ContentTreeStatus) {
	f.tell("content", style.Plain, or(t.RelativeURL, t.DisplayName))
	f.say("sha256", style.Dim, t.ContentSha256)
	if t.State < entity.LOADED && t.TotalSize > 0 {
		f.add("progress", widget.Bar(float64(t.CurrentSize)/float64(t.TotalSize), 20,
			stateRole(t.State), s.Theme).Put(style.Plain, fmt.Sprintf(" %3d%% ", t.Progress)).
			Put(stateRole(t.State), t.State.String()))
	}
}

// downloadFacts tells about the downloads of content.
func downloadFacts(s *Stage, f *facts, t *content.ContentTreeStatus) {
	if t == nil {
		return
	}
	n := 0
	for _, sha := range t.Blobs {
		d := source.Get(s.State, content.DownloadStatuses, sha)
		if d == nil || d.State != entity.DOWNLOADING {
			continue
		}
		for _, l := range download(s, d, f.width-f.wide) {
			f.out = append(f.out, widget.Text(style.Dim, first(n, "download")).Pad(f.wide).Join(l))
			n++
		}
	}
}
