package domainmgr

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// noMetadata is the type of metadata that gives a virtual machine no user data.
const noMetadata = 1

// specOf turns a wished guest into what the hypervisor is to make. boots numbers the run.
func specOf(c *domain.DomainConfig, adapters []hyper.Assigned, boots int) (hyper.Spec, error) {
	out := hyper.Spec{Name: domainName(c), AppID: c.UUID, MemoryKiB: c.VmConfig.Memory,
		VCPUs: c.VmConfig.VCpus, Mode: uint8(c.VmConfig.VirtualizationMode), Adapters: adapters,
		Boots: boots}
	for i := range c.DiskConfigList {
		d := &c.DiskConfigList[i]
		if d.Target == volume.TargetAppCustom {
			continue // served to the guest, not attached
		}
		if d.FileLocation == "" {
			return out, fmt.Errorf("make domain of %s: volume %s has no file", c.DisplayName, d.VolumeKey)
		}
		if d.Format == content.FmtUnknown {
			return out, fmt.Errorf("make domain of %s: the format of volume %s is not known",
				c.DisplayName, d.VolumeKey)
		}
		out.Disks = append(out.Disks, hyper.Disk{VolumeKey: d.VolumeKey, Path: d.FileLocation,
			Format: d.Format.String(), ReadOnly: d.ReadOnly, MountDir: d.MountDir})
	}
	for i := range c.VifList {
		v := &c.VifList[i]
		ip, err := netip.ParseAddr(v.IP)
		if v.IP != "" && err != nil {
			return out, fmt.Errorf("make domain of %s: address of %s: %w", c.DisplayName, v.Vif, err)
		}
		out.Vifs = append(out.Vifs, hyper.Vif{Name: v.Vif, Bridge: v.Bridge, MAC: v.Mac, IP: ip,
			MTU: v.MTU})
	}
	if c.CloudInitUserData == "" || c.MetaDataType == noMetadata && !contained(c) {
		return out, nil
	}
	if secret.Malformed(c.CloudInitUserData) {
		return out, fmt.Errorf("read user data of %s: illegal base64 data", c.DisplayName)
	}
	if !secret.Is(c.CloudInitUserData) {
		if _, err := base64.StdEncoding.DecodeString(c.CloudInitUserData); err != nil {
			return out, fmt.Errorf("read user data of %s: %w", c.DisplayName, err)
		}
	}
	out.UserData, out.Instance = c.CloudInitUserData, c.UUID+"/"+instanceVersion(c)
	return out, nil
}

// domainName is the name of an application's domain.
func domainName(c *domain.DomainConfig) string {
	return c.UUID + "." + c.Version + "." + strconv.Itoa(c.AppNum)
}

// instanceVersion tells cloud-init in the guest whether it has seen this user data before.
func instanceVersion(c *domain.DomainConfig) string {
	if c.CloudInitVersion > 0 {
		return strconv.Itoa(int(c.CloudInitVersion))
	}
	return c.Version
}

// contained reports whether the guest is a container, in a virtual machine or not.
func contained(c *domain.DomainConfig) bool {
	return c.VmConfig.VirtualizationMode == app.NOHYPER ||
		len(c.DiskConfigList) > 0 && c.DiskConfigList[0].Format == content.CONTAINER
}

// sameSpec compares two specs.
func sameSpec(a, b *hyper.Spec) bool {
	return hyper.Create.EqualReq(&hyper.CreateReq{Spec: *a}, &hyper.CreateReq{Spec: *b})
}
