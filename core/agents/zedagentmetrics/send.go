package zedagentmetrics

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// dormant is after how many intervals without a message a device counts as unreachable.
const dormant = 3

// send builds the message and has it sent.
func (a *meter) send(t *agent.Turn, c *cycle, device string) {
	in := a.input(t, c, device)
	body, err := eveapi.MetricsBody(report.Metrics(&in))
	if err != nil {
		t.Log(agent.Err, "", "metrics: "+err.Error())
		c.wait(t)
		return
	}
	c.Stage = stageSending
	a.conn.Want(t, key, controllerconn.Request{Endpoint: eveapi.Metrics, Payload: body})
}

// input collects what the message is made of.
func (a *meter) input(t *agent.Turn, c *cycle, device string) report.MetricsInput {
	in := report.MetricsInput{
		Device: device, At: t.Wall, Up: t.Now, Dormant: dormant * c.Told,
		Network: a.net.Get(entity.Global), ZedAgent: a.zedagent.Get("zedagent"),
		Flowlog: a.flowlog.Get(entity.Global),
	}
	if s := a.samples.Get("sample"); s != nil {
		in.Host = s.Host.Now
		for i := range s.Ports {
			in.Ports = append(in.Ports, add(s.Ports[i].Now, s.Ports[i].Base))
		}
		for i := range s.Vifs {
			in.Vifs = append(in.Vifs, add(s.Vifs[i].Now, s.Vifs[i].Base))
		}
		for _, x := range s.Apps {
			u := x.Now
			u.CPUTotalNs += x.BaseNs
			in.Usages = append(in.Usages, u)
		}
	}
	if m := a.memory.Get(entity.Global); m != nil {
		in.MemoryMB = m.TotalMemoryMB
	}
	if s, v := a.space.Get("persist"), a.volumemgr.Get("volumemgr"); s != nil {
		in.DiskTotal, in.DiskKnown = uint64(max(s.Total, 0)), true
		if v != nil {
			in.DiskFree = v.RemainingSpace
		}
	}
	for _, m := range a.maps.All() {
		in.Maps = append(in.Maps, m)
	}
	if m := a.own.Get(entity.Global); m != nil {
		in.Maps = append(in.Maps, m)
	}
	for _, x := range a.apps.All() {
		in.Apps = append(in.Apps, x)
	}
	for _, x := range a.instances.All() {
		in.Instances = append(in.Instances, x)
	}
	for _, x := range a.volumes.All() {
		in.Volumes = append(in.Volumes, x)
	}
	return in
}
