package check

import (
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// online begins a tape of a device that is onboarded and has a way to the controller.
func online(t *testing.T, r Rule) *tape {
	tp := start(t, r)
	put(tp, node.Onboarding, node.OnboardingStatus{DeviceUUID: "d"})
	put(tp, network.DNS, network.DeviceNetworkStatus{State: network.DPCSuccess})
	return tp
}

func appInfo(state info.ZSwState, wrong string) *info.ZInfoMsg {
	a := &info.ZInfoApp{AppID: "a", State: state}
	if wrong != "" {
		a.AppErr = []*info.ErrorInfo{{Description: wrong}}
	}
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiApp, DevId: "d",
		InfoContent: &info.ZInfoMsg_Ainfo{Ainfo: a}}
}

func appStatus(state entity.SwState, wrong string) app.AppInstanceStatus {
	st := app.AppInstanceStatus{UUIDandVersion: id("a"), State: state}
	st.Error = wrong
	return st
}

func TestInfoArrives(t *testing.T) {
	calm := func(t *testing.T) *tape {
		tp := online(t, infoArrives())
		put(tp, app.Statuses, appStatus(entity.RUNNING, ""))
		tp.c.Info(appInfo(info.ZSwState_RUNNING, ""))
		tp.wait(Grace)
		return tp
	}
	tp := calm(t)
	put(tp, content.TreeStatuses, tree(entity.LOADED))
	tp.c.Info(&info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiContentTree, InfoContent: &info.ZInfoMsg_Cinfo{
		Cinfo: &info.ZInfoContentTree{Uuid: "c", State: info.ZSwState_DELIVERED}}})
	put(tp, network.InstanceStatus, instance("n", 1))
	tp.c.Info(&info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiNetworkInstance,
		InfoContent: &info.ZInfoMsg_Niinfo{
			Niinfo: &info.ZInfoNetworkInstance{NetworkID: "n", Activated: true}}})
	put(tp, volume.Statuses, volume.VolumeStatus{State: entity.CREATED_VOLUME,
		VolumeConfig: volume.VolumeConfig{VolumeID: "v"}})
	tp.c.Info(&info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiVolume, InfoContent: &info.ZInfoMsg_Vinfo{
		Vinfo: &info.ZInfoVolume{Uuid: "v", State: info.ZSwState_CREATED_VOLUME}}})
	put(tp, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent", DeviceState: node.StateOnline})
	tp.c.Info(&info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiDevice, DevId: "d",
		InfoContent: &info.ZInfoMsg_Dinfo{
			Dinfo: &info.ZInfoDevice{State: info.ZDeviceState_ZDEVICE_STATE_ONLINE}}})
	tp.end()
	tp.keeps()

	tp = calm(t)
	del(tp, app.Statuses, "a")
	tp.c.Info(appInfo(0, ""))
	tp.end()
	tp.keeps()

	// What came and went at once may have been seen by nobody.
	tp = online(t, infoArrives())
	tp.c.Info(appInfo(info.ZSwState_RUNNING, "")) // before a boot
	tp = tp.reboot(func(*bus.Decl, string) bool { return true })
	put(tp, app.Statuses, appStatus(entity.INITIAL, ""))
	tp.wait(Grace - time.Second)
	del(tp, app.Statuses, "a")
	tp.end()
	if len(tp.c.Violations()) > 0 {
		t.Error(tp.c.Violations()[0])
	}

	for name, act := range map[string]func(tp *tape){
		"state":        func(tp *tape) { put(tp, app.Statuses, appStatus(entity.HALTED, "")) },
		"error":        func(tp *tape) { put(tp, app.Statuses, appStatus(entity.RUNNING, "it hurts")) },
		"error gone":   func(tp *tape) { tp.c.Info(appInfo(info.ZSwState_RUNNING, "it hurt")) },
		"deletion":     func(tp *tape) { del(tp, app.Statuses, "a") },
		"content":      func(tp *tape) { put(tp, content.TreeStatuses, tree(entity.LOADED)) },
		"instance":     func(tp *tape) { put(tp, network.InstanceStatus, instance("n", 1)) },
		"device":       func(tp *tape) { put(tp, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent"}) },
		"broken state": func(tp *tape) { put(tp, app.Statuses, appStatus(entity.BROKEN, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			act(tp)
			tp.end()
			tp.breaks()
		})
	}
	tp = calm(t)
	put(tp, app.Statuses, appStatus(entity.HALTED, ""))
	tp.c.End() // it was not left in peace
	if len(tp.c.Violations()) > 0 {
		t.Error("it judges a device that is still disturbed")
	}
}

func TestKeepsReporting(t *testing.T) {
	calm := func(t *testing.T) *tape {
		tp := online(t, keepsReporting())
		put(tp, config.Items, config.ConfigItemValueMap{})
		return tp
	}
	tp := calm(t)
	tp.c.Healed()
	tp.wait(Patience)
	tp.c.Metrics(&metrics.ZMetricMsg{DevID: "d"})
	tp.c.End()
	tp.keeps()
	tp = calm(t)
	tp.c.Metrics(&metrics.ZMetricMsg{DevID: "d"})
	tp.end()
	tp.breaks()
}
