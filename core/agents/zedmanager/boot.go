package zedmanager

import (
	"strconv"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// What a container boots with.
const (
	containerKernel  = "/hostfs/boot/kernel"
	containerRamdisk = "/usr/lib/xen/boot/runx-initrd"
	containerArgs    = "console=hvc0 root=9p dhcp=1"
	seabios          = "/usr/lib/xen/boot/seabios.bin"
	ovmf             = "/usr/lib/xen/boot/ovmf.bin"
	ovmfCode         = "/usr/lib/xen/boot/OVMF_CODE.fd"
	pygrub           = "/usr/bin/pygrub"
)

// boot wishes the guest as the configuration has it, and reports whether it could.
func (a *zedmanager) boot(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) bool {
	d := domain.DomainConfig{UUIDandVersion: acc.UUIDandVersion, DisplayName: acc.DisplayName,
		Activate: true, VmConfig: acc.FixedResources, IoAdapterList: acc.IoAdapterList,
		CloudInitUserData: acc.CloudInitUserData, MetaDataType: acc.MetaDataType,
		Service: acc.Service, CloudInitVersion: acc.CloudInitVersion,
		DisableLogs: acc.DisableLogs, PurgeCounter: purges(acc), RestartCounter: restarts(acc)}
	for _, ref := range acc.VolumeRefConfigList {
		ref.AppUUID = acc.UUID
		vs := a.volumeStats.Get(ref.Key())
		if vs == nil || vs.ActiveFileLocation == "" {
			st.SetFrom(fromVolume, entity.ErrorDescription{
				Error: "volume " + ref.VolumeKey() + " has no file"}, t.Wall)
			return false
		}
		d.DiskConfigList = append(d.DiskConfigList, domain.DiskConfig{VolumeKey: ref.VolumeKey(),
			FileLocation: vs.ActiveFileLocation, ReadOnly: vs.ReadOnly, Format: vs.ContentFormat,
			MountDir: vs.MountDir, DisplayName: vs.DisplayName, WWN: vs.WWN, Target: vs.Target,
			CustomMeta: vs.CustomMeta})
	}
	if ns := a.netStats.Get(acc.UUID); ns != nil {
		d.AppNum = ns.AppNum
		for i := range ns.AppNetAdapterList {
			ad := &ns.AppNetAdapterList[i]
			vif := domain.VifConfig{VifInfo: ad.VifInfo, MTU: ad.MTU, AccessVlanID: ad.AccessVlanID}
			if ad.AllocatedIPv4Addr.IsValid() {
				vif.IP = ad.AllocatedIPv4Addr.String()
			}
			d.VifList = append(d.VifList, vif)
		}
	}
	a.firmware(&d)
	a.domains.Put(d)
	return true
}

// firmware fills in what the guest is booted with.
func (a *zedmanager) firmware(d *domain.DomainConfig) {
	vm := &d.VmConfig
	h := a.host.Get("host")
	arm := h != nil && h.Arch == "arm64"
	if vm.BootLoader == pygrub {
		vm.BootLoader = ""
	}
	container := len(d.DiskConfigList) > 0 && d.DiskConfigList[0].Format == content.CONTAINER
	switch {
	case container:
		vm.Kernel, vm.Ramdisk, vm.BootLoader = containerKernel, containerRamdisk, seabios
		if arm {
			vm.BootLoader = ovmf
		}
		vm.ExtraArgs = containerArgs
		if vm.EnableVnc {
			vm.ExtraArgs += " console=tty0"
		}
		for i, v := range d.VifList {
			sep := ","
			if i == 0 {
				sep = " mtu="
			}
			vm.ExtraArgs += sep + strconv.Itoa(int(v.MTU))
		}
	case vm.VirtualizationMode == app.FML:
		vm.BootLoader = ovmfCode
	case arm:
		vm.BootLoader = ovmf
	}
}
