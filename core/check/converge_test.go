package check

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// settled is a tape of a device that has become what its configuration says.
func settled(t *testing.T) *tape {
	tp := online(t, converges())
	tp.c.Wished("7")
	put(tp, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent", ConfigVersion: "7",
		DeviceState: node.StateOnline})
	put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a"), Activate: true})
	whole(tp, app.Configs)
	put(tp, app.Statuses, appStatus(entity.RUNNING, ""))
	put(tp, volume.Configs, volume.VolumeConfig{VolumeID: "v", ContentID: "c"})
	whole(tp, volume.Configs)
	whole(tp, volume.Refs)
	put(tp, volume.Statuses, volume.VolumeStatus{State: entity.CREATED_VOLUME,
		VolumeConfig: volume.VolumeConfig{VolumeID: "v"}})
	put(tp, content.Trees, content.ContentTreeConfig{ContentID: "c"})
	put(tp, content.TreeStatuses, tree(entity.LOADED))
	put(tp, network.Instances, network.NetworkInstanceConfig{UUIDandVersion: id("n"), Activate: true})
	whole(tp, network.Instances)
	put(tp, network.InstanceStatus, instance("n", 1))
	return tp
}

func TestConverges(t *testing.T) {
	tp := settled(t)
	tp.end()
	tp.keeps()
	tp = settled(t)
	put(tp, app.Statuses, appStatus(entity.INSTALLED, "there is no memory"))
	tp.end()
	tp.keeps()
	for name, act := range map[string]func(tp *tape){
		"configuration": func(tp *tape) { tp.c.Wished("8") },
		"application":   func(tp *tape) { put(tp, app.Statuses, appStatus(entity.INSTALLED, "")) },
		"not to run": func(tp *tape) {
			put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a")})
		},
		"no status": func(tp *tape) { del(tp, app.Statuses, "a") },
		"restart for ever": func(tp *tape) {
			st := appStatus(entity.RUNNING, "")
			st.RestartInprogress = app.BringUp
			put(tp, app.Statuses, st)
		},
		"left over": func(tp *tape) { del(tp, app.Configs, "a") },
		"stray guest": func(tp *tape) {
			put(tp, hyper.Domains, hyper.DomainSeen{State: hyper.Running,
				Spec: hyper.Spec{Name: "b.1", AppID: "b"}})
		},
		"content": func(tp *tape) { put(tp, content.TreeStatuses, tree(entity.DOWNLOADING)) },
		"volume": func(tp *tape) {
			put(tp, volume.Statuses, volume.VolumeStatus{State: entity.INITIAL,
				VolumeConfig: volume.VolumeConfig{VolumeID: "v"}})
		},
		"unwanted volume": func(tp *tape) { del(tp, volume.Configs, "v#0") },
		"network": func(tp *tape) {
			n := instance("n", 1)
			n.Activated = false
			put(tp, network.InstanceStatus, n)
		},
		"network left over": func(tp *tape) { del(tp, network.Instances, "n") },
	} {
		t.Run(name, func(t *testing.T) {
			tp := settled(t)
			act(tp)
			tp.end()
			tp.breaks()
		})
	}
}

func TestGuestNumber(t *testing.T) {
	at := func(number int) *tape {
		tp := start(t, guestNumber())
		put(tp, hyper.Domains, guest("a.1", hyper.Running))
		put(tp, domain.Statuses, domain.DomainStatus{UUIDandVersion: id("a"), DomainId: number})
		tp.end()
		return tp
	}
	at(1).keeps()
	at(0).breaks()
}

func dpc(key string, at int64, worked bool) network.DevicePortConfig {
	d := network.DevicePortConfig{DPCKey: key, TimePriority: time.Unix(at, 0)}
	if worked {
		d.LastSucceeded = time.Unix(at+10, 0)
	}
	return d
}

func TestKeepsWorkingPort(t *testing.T) {
	list := func(l ...network.DevicePortConfig) network.DevicePortConfigList {
		return network.DevicePortConfigList{PortConfigList: l}
	}
	calm := func(t *testing.T, worked network.DevicePortConfig) *tape {
		tp := start(t, keepsWorking())
		put(tp, network.DPCL, list(worked))
		return tp
	}
	tp := calm(t, dpc("zedagent", 1, true))
	put(tp, network.DPCL, list(dpc("zedagent", 2, false), dpc("zedagent", 1, true)))
	put(tp, network.DPCL, list(dpc("zedagent", 2, true)))
	tp.keeps()
	tp = calm(t, dpc("zedagent", 1, true))
	put(tp, network.DPCL, list(dpc("zedagent", 2, false)))
	tp.breaks()
}

func TestReconnects(t *testing.T) {
	tp := online(t, reconnects())
	tp.end()
	tp.keeps()
	tp = online(t, reconnects())
	put(tp, network.DNS, network.DeviceNetworkStatus{State: network.DPCFail})
	tp.end()
	tp.breaks()
}

// minutes lets so many minutes pass.
func (tp *tape) minutes(n int, f func(i int)) {
	for i := range n {
		tp.wait(time.Minute)
		f(i)
		put(tp, node.Client, node.ClientStatus{Tries: i})
	}
}

func TestBounded(t *testing.T) {
	grow := func(r int, l host.Load) *tape {
		tp := start(t, bounded())
		tp.load = []host.Load{l}
		for i := range r {
			put(tp, network.Numbers, number(string(rune('a'+i)), i))
		}
		tp.minutes(2, func(int) {})
		return tp
	}
	grow(baseRows, host.Load{Agent: "nim"}).keeps()
	grow(baseRows+1, host.Load{Agent: "nim"}).breaks()
	grow(1, host.Load{Agent: "nim", Deadlines: baseWaits + 1}).breaks()
	grow(1, host.Load{Agent: "nim", Calls: baseWaits + 1}).breaks()
	tp := start(t, bounded()) // a larger configuration may have more
	for i := range 10 {
		put(tp, network.Instances,
			network.NetworkInstanceConfig{UUIDandVersion: id(string(rune('a' + i)))})
	}
	for i := range baseRows + 10*rowsEach {
		put(tp, network.Numbers, number(string(rune('a'+i)), i))
	}
	tp.minutes(2, func(int) {})
	tp.keeps()
}

func TestBudget(t *testing.T) {
	spend := func(turns uint64) *tape {
		tp := start(t, budget())
		tp.load = []host.Load{{Agent: "nim"}}
		tp.minutes(3, func(i int) { tp.load[0].Turns = uint64(i) * turns })
		return tp
	}
	spend(baseTurns).keeps()
	spend(3 * baseTurns).breaks()
	tp := start(t, budget())
	tp.turn(func() {
		for i := range baseBatch + 1 {
			put(tp, network.Numbers, number(string(rune('a'+i)), i))
		}
	})
	tp.breaks()
}

func TestRestsAtLast(t *testing.T) {
	rest := func(turns uint64) *tape {
		tp := start(t, restsAtLast())
		tp.load = []host.Load{{Agent: "nim"}}
		tp.c.Healed()
		tp.minutes(40, func(i int) { tp.load[0].Turns = uint64(i) * turns })
		tp.c.End()
		return tp
	}
	rest(calmTurns).keeps()
	rest(2 * calmTurns).breaks()
}
