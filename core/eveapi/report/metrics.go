package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lf-edge/eve-api/go/metrics"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evetwin/evetwin/core/topics/app"
	counters "github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// Traffic is what went through an interface, seen from its user: the host for a port, the guest for
// an interface of an application.
type Traffic struct {
	IfName                               string
	TxBytes, RxBytes, TxPkts, RxPkts     uint64
	TxDrops, RxDrops, TxErrors, RxErrors uint64
	TxACLDrops, RxACLDrops               uint64
}

// Usage is what an application, or the host itself, uses.
type Usage struct {
	AppID       string // empty for the host
	CPUTotalNs  uint64
	AllocatedMB uint64
	UsedMB      uint64
}

// MetricsInput is what a metrics message is made of. Lists of traffic and usage are sorted by
// interface and application.
type MetricsInput struct {
	Device    string // UUID
	At        time.Time
	Up        time.Duration // since boot
	Dormant   time.Duration // without a message for so long the device counts as unreachable
	MemoryMB  uint64
	Host      Usage
	Ports     []Traffic // of the device
	Vifs      []Traffic // of applications
	Usages    []Usage   // of applications
	DiskTotal uint64    // bytes of /persist
	DiskFree  uint64    // bytes
	DiskKnown bool
	Network   *network.DeviceNetworkStatus
	ZedAgent  *node.ZedAgentStatus
	Maps      []*counters.MetricsMap
	Apps      []*app.AppInstanceStatus
	Instances []*network.NetworkInstanceStatus
	Volumes   []*volume.VolumeStatus
	Flowlog   *counters.FlowlogMetrics // nil: nothing was ever logged
}

// Metrics reports counters and gauges of the whole device.
func Metrics(in *MetricsInput) *metrics.ZMetricMsg {
	dm := &metrics.DeviceMetric{
		DormantTimeInSeconds: uint64(in.Dormant / time.Second),
		Zedcloud:             exchanges(in.Maps),
		CpuMetric:            cpu(&in.Host, in.Up),
	}
	memory(dm, in)
	if in.Network != nil {
		dm.Network = make([]*metrics.NetworkMetric, 0, len(in.Network.Ports))
		for i := range in.Network.Ports {
			p := &in.Network.Ports[i]
			m := traffic(find(in.Ports, p.IfName))
			m.IName, m.LocalName, m.Alias = p.Logicallabel, p.IfName, p.Alias
			dm.Network = append(dm.Network, m)
		}
	}
	if in.DiskKnown {
		free := min(in.DiskFree, in.DiskTotal)
		dm.Disk = []*metrics.DiskMetric{{MountPath: "/persist", Total: in.DiskTotal >> 20,
			Used: (in.DiskTotal - free) >> 20, Free: free >> 20}}
	}
	if z := in.ZedAgent; z != nil {
		dm.LastReceivedConfig = stamp(z.LastReceivedConfig)
		dm.LastProcessedConfig = stamp(z.LastProcessedConfig)
	}
	if f := in.Flowlog; f != nil {
		dm.Flowlog = &metrics.FlowlogMetric{Messages: flowCounters(&f.Messages),
			Flows: flowCounters(&f.Flows), DnsRequests: flowCounters(&f.DNSReqs)}
	}
	msg := &metrics.ZMetricMsg{
		DevID: in.Device, AtTimeStamp: timestamppb.New(in.At),
		MetricContent: &metrics.ZMetricMsg_Dm{Dm: dm},
	}
	for _, a := range in.Apps {
		msg.Am = append(msg.Am, appMetric(a, in))
	}
	for _, n := range in.Instances {
		msg.Nm = append(msg.Nm, instanceMetric(n, in.Vifs))
	}
	for _, v := range in.Volumes {
		msg.Vm = append(msg.Vm, volumeMetric(v))
	}
	return msg
}

// memory reports the device's memory, in the deprecated fields, too.
func memory(dm *metrics.DeviceMetric, in *MetricsInput) {
	var apps uint64
	for i := range in.Usages {
		apps += in.Usages[i].AllocatedMB
	}
	used := uint32(in.Host.UsedMB)
	dm.DeviceMemory = &metrics.DeviceMemoryMetric{
		MemoryMB: uint32(in.MemoryMB), AllocatedAppsMB: uint32(apps),
		AllocatedEveMB: uint32(in.Host.AllocatedMB), UsedEveMB: used,
	}
	dm.Memory = share(in.Host.UsedMB+apps, in.MemoryMB)
	dm.SystemServicesMemoryMB = share(in.Host.UsedMB, max(in.Host.AllocatedMB, in.Host.UsedMB))
}

func share(used, total uint64) *metrics.MemoryMetric {
	used = min(used, total)
	m := &metrics.MemoryMetric{UsedMem: uint32(used), AvailMem: uint32(total - used)}
	if total > 0 {
		m.UsedPercentage = 100 * float64(used) / float64(total)
		m.AvailPercentage = 100 - m.UsedPercentage
	}
	return m
}

// cpu has the uptime as EVE has it: as a time since 1970.
func cpu(u *Usage, up time.Duration) *metrics.AppCpuMetric {
	return &metrics.AppCpuMetric{
		UpTime: timestamppb.New(time.Unix(0, 0).Add(up)), TotalNs: u.CPUTotalNs,
		Total: u.CPUTotalNs / uint64(time.Second),
	}
}

func find(list []Traffic, name string) *Traffic {
	i, ok := slices.BinarySearchFunc(list, name,
		func(c Traffic, n string) int { return cmp.Compare(c.IfName, n) })
	if !ok {
		return nil
	}
	return &list[i]
}

func traffic(c *Traffic) *metrics.NetworkMetric {
	if c == nil {
		return &metrics.NetworkMetric{}
	}
	return &metrics.NetworkMetric{
		TxBytes: c.TxBytes, RxBytes: c.RxBytes, TxPkts: c.TxPkts, RxPkts: c.RxPkts,
		TxDrops: c.TxDrops, RxDrops: c.RxDrops, TxErrors: c.TxErrors, RxErrors: c.RxErrors,
		TxAclDrops: c.TxACLDrops, RxAclDrops: c.RxACLDrops,
	}
}

func appMetric(a *app.AppInstanceStatus, in *MetricsInput) *metrics.AppMetric {
	m := &metrics.AppMetric{AppID: a.UUID, AppVersion: a.Version, AppName: a.DisplayName}
	i, ok := slices.BinarySearchFunc(in.Usages, a.UUID,
		func(u Usage, id string) int { return cmp.Compare(u.AppID, id) })
	if ok {
		u := &in.Usages[i]
		up := time.Duration(0)
		if !a.BootTime.IsZero() {
			up = max(in.At.Sub(a.BootTime), 0)
		}
		m.Cpu, m.Memory = cpu(u, up), share(u.UsedMB, u.AllocatedMB)
		m.AppMemory = &metrics.AppMemoryMetric{
			AllocatedMB: uint32(u.AllocatedMB), UsedMB: uint32(u.UsedMB)}
	}
	for i := range a.AppNetAdapters {
		n := &a.AppNetAdapters[i]
		if n.Vif == "" {
			continue
		}
		t := traffic(find(in.Vifs, n.Vif))
		t.IName, t.LocalName = n.Name, n.Vif
		m.Network = append(m.Network, t)
	}
	for i := range a.VolumeRefStatusList {
		v := &a.VolumeRefStatusList[i]
		if v.ActiveFileLocation == "" {
			continue
		}
		m.Disk = append(m.Disk, &metrics.AppDiskMetric{Disk: v.DisplayName,
			Provisioned: v.MaxVolSize >> 20, DiskType: v.ContentFormat.String()})
	}
	return m
}

// instanceMetric sums up the interfaces on a network instance: what guests send, it receives.
func instanceMetric(n *network.NetworkInstanceStatus,
	vifs []Traffic,
) *metrics.ZMetricNetworkInstance {
	rx, tx := &metrics.NetworkStats{}, &metrics.NetworkStats{}
	for _, v := range n.Vifs {
		c := find(vifs, v.Name)
		if c == nil {
			continue
		}
		rx.TotalBytes += c.TxBytes
		rx.TotalPackets += c.TxPkts
		rx.Drops += c.TxDrops
		rx.Errors += c.TxErrors
		tx.TotalBytes += c.RxBytes
		tx.TotalPackets += c.RxPkts
		tx.Drops += c.RxDrops
		tx.Errors += c.RxErrors
	}
	return &metrics.ZMetricNetworkInstance{
		NetworkID: n.UUID, NetworkVersion: n.Version, Displayname: n.DisplayName,
		InstType: uint32(n.Type), Activated: n.Activated,
		NetworkStats: &metrics.ZMetricNetworkStats{Rx: rx, Tx: tx},
	}
}

func volumeMetric(v *volume.VolumeStatus) *metrics.ZMetricVolume {
	used := uint64(max(v.CurrentSize, 0))
	total := max(v.MaxVolSize, used)
	return &metrics.ZMetricVolume{
		Uuid: v.VolumeID, DisplayName: v.DisplayName, TotalBytes: total, UsedBytes: used,
		FreeBytes: total - used,
	}
}
