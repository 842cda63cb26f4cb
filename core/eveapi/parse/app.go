package parse

import (
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// MaxApp is the size of an application's row: what is larger loses user data and access rules,
// and has an error (API-52).
const MaxApp = 224 << 10

// Sources of an application's boot order, with EVE's numbers.
const (
	bootOrderController = 2
	bootOrderProperty   = 3
)

// AppInput is all that applications are made of.
type AppInput struct {
	Apps      []*config.AppInstanceConfig
	Instances []network.NetworkInstanceConfig
	BootOrder string // setting app.boot.order: "", "usb" or "nousb"
}

// Apps reads the applications.
func Apps(in AppInput) ([]app.AppInstanceConfig, string) {
	nis := make(map[string]*network.NetworkInstanceConfig, len(in.Instances))
	for i := range in.Instances {
		nis[in.Instances[i].UUID] = &in.Instances[i]
	}
	rows := make([]app.AppInstanceConfig, 0, min(len(in.Apps), MaxObjects))
	for i, a := range in.Apps {
		rows = append(rows, readApp(a, i, nis, in.BootOrder))
	}
	out, dropped := unique(rows, func(a *app.AppInstanceConfig) {
		a.Errors = append(a.Errors, "another application has the same UUID")
	})
	return out, tooMany("applications", dropped)
}

func readApp(a *config.AppInstanceConfig, index int, nis map[string]*network.NetworkInstanceConfig,
	bootOrder string,
) app.AppInstanceConfig {
	var errs wrongs
	id, wrong := readIdentity(a.GetUuidandversion(), index)
	errs.add(wrong)
	out := app.AppInstanceConfig{
		UUIDandVersion: id, DisplayName: clip(a.GetDisplayname(), 250), Activate: a.GetActivate(),
		RestartCmd: command(a.GetRestart()), PurgeCmd: command(a.GetPurge()),
		CloudInitUserData: a.GetUserData(), RemoteConsole: a.GetRemoteConsole(),
		CollectStatsIPAddr: clip(a.GetCollectStatsIPAddr(), 60), Service: a.GetService(),
		Delay:            time.Duration(a.GetStartDelayInSeconds()) * time.Second,
		CloudInitVersion: a.GetCloudInitVersion(),
	}
	for i, p := range a.GetProfileList() {
		if i == 100 {
			errs.add("more than 100 profiles")
			break
		}
		out.ProfileList = append(out.ProfileList, clip(p, 250))
	}
	if m := a.GetMetaDataType(); m >= 0 && m <= config.MetaDataType_MetaDataDriveMultipart {
		out.MetaDataType = uint8(m)
	} else {
		errs.add("metadata type ", number(int(m)), " is unknown")
	}
	out.DisableLogs = a.GetFixedresources().GetDisableLogs()
	errs.add(readResources(&out, a.GetFixedresources(), bootOrder))
	if out.Service && out.FixedResources.VirtualizationMode != app.NOHYPER {
		errs.add("a service application needs virtualization mode NOHYPER")
	}
	if a.GetCipherData() != nil {
		errs.add("its user data is encrypted and cannot be decrypted")
	}
	out.VolumeRefConfigList, wrong = volumeRefs(a.GetVolumeRefList(), id)
	errs.add(wrong)
	out.AppNetAdapterList, wrong = interfaces(a, nis)
	errs.add(wrong)
	out.IoAdapterList, wrong = ioAdapters(a.GetAdapters())
	errs.add(wrong)
	out.Errors = fit(&out, errs)
	return out
}

// fit makes the row of an application fit its topic and returns its errors.
func fit(out *app.AppInstanceConfig, errs wrongs) []string {
	if weigh(*out, MaxApp) > MaxApp && out.CloudInitUserData != "" {
		out.CloudInitUserData = ""
		errs.add("the application is too large; its user data is left out")
	}
	if weigh(*out, MaxApp) > MaxApp {
		for i := range out.AppNetAdapterList {
			out.AppNetAdapterList[i].ACLs = nil
		}
		errs.add("the application is too large; its access rules are left out")
	}
	if weigh(*out, MaxApp) > MaxApp {
		*out = app.AppInstanceConfig{UUIDandVersion: out.UUIDandVersion, DisplayName: out.DisplayName}
		errs.add(tooLarge(MaxApp))
	}
	return errs
}

func command(c *config.InstanceOpsCmd) app.InstanceOpsCmd {
	return app.InstanceOpsCmd{Counter: c.GetCounter(), ApplyTime: clip(c.GetOpsTime(), 60)}
}

// readResources reads what the guest is given.
func readResources(out *app.AppInstanceConfig, r *config.VmConfig, bootOrder string) string {
	if r == nil {
		return "it has no fixedresources"
	}
	out.FixedResources = app.VmConfig{
		Kernel: r.GetKernel(), Ramdisk: r.GetRamdisk(), RootDev: r.GetRootdev(),
		BootLoader: r.GetBootloader(), Memory: int(r.GetMemory()), MaxMem: int(r.GetMaxmem()),
		VCpus: int(r.GetVcpus()), MaxCpus: int(r.GetMaxcpus()), EnableVnc: r.GetEnableVnc(),
		VncDisplay: r.GetVncDisplay(), VncPasswd: r.GetVncPasswd(), CPUsPinned: r.GetPinCpu(),
		VMMMaxMem: int(r.GetVmmMaxmem()), EnableVncShimVM: r.GetEnableVncShimVm(),
		EnforceNetworkInterfaceOrder: r.GetEnforceNetworkInterfaceOrder(),
		DisableVirtualTPM:            r.GetDisableVtpm(),
	}
	f := &out.FixedResources
	var errs wrongs
	if m := r.GetVirtualizationMode(); m >= 0 && m <= config.VmMode_LEGACY {
		f.VirtualizationMode = app.VmMode(m)
	} else {
		errs.add("virtualization mode ", number(int(m)), " is unknown")
	}
	if f.EnableVncShimVM && !f.EnableVnc {
		errs.add("VNC for the shim needs VNC")
	}
	switch b := r.GetBootOrder(); b {
	case evecommon.BootOrder_BOOT_ORDER_UNSPECIFIED:
		f.BootOrder = bootOrderNumber(bootOrder)
		if f.BootOrder != 0 {
			out.BootOrderSource = bootOrderProperty
		}
	case evecommon.BootOrder_BOOT_ORDER_USB, evecommon.BootOrder_BOOT_ORDER_NOUSB:
		f.BootOrder, out.BootOrderSource = uint8(b), bootOrderController
	default:
		errs.add("boot order ", number(int(b)), " is unknown")
	}
	return errs.String()
}

func bootOrderNumber(setting string) uint8 {
	switch setting {
	case "usb":
		return uint8(evecommon.BootOrder_BOOT_ORDER_USB)
	case "nousb":
		return uint8(evecommon.BootOrder_BOOT_ORDER_NOUSB)
	}
	return 0
}

// volumeRefs reads the references to volumes, in order: the first is the root disk.
func volumeRefs(list []*config.VolumeRef, id entity.UUIDandVersion) (
	out []volume.VolumeRefConfig, wrong string,
) {
	seen := map[string]bool{}
	for i, r := range list {
		v, bad := readUUID(r.GetUuid(), i)
		ref := volume.VolumeRefConfig{VolumeID: v, GenerationCounter: r.GetGenerationCount(),
			AppUUID: id.UUID, MountDir: clip(r.GetMountDir(), 1000), VerifyOnly: true}
		switch {
		case bad != "":
			wrong = "volume reference " + number(i) + ": " + bad
		case len(out) == 64:
			return out, "more than 64 volume references"
		case seen[ref.VolumeKey()]:
			wrong = "volume " + v + " is referred to twice"
			continue
		}
		seen[ref.VolumeKey()] = true
		out = append(out, ref)
	}
	return out, wrong
}

// ioAdapters reads the adapters that are passed through.
func ioAdapters(list []*config.Adapter) (out []app.IoAdapter, wrong string) {
	for i, a := range list {
		t := int32(a.GetType())
		switch {
		case !knownIoType(t):
			wrong = "adapter " + quote(a.GetName()) + " has the unknown type " + number(int(t))
		case a.GetName() == "":
			wrong = "an adapter has no name"
		case i == 128:
			return out, "more than 128 adapters"
		default:
			out = append(out, app.IoAdapter{Type: network.IoType(t), Name: clip(a.GetName(), 250)})
		}
	}
	return out, wrong
}
