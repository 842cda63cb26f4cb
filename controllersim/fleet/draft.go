package fleet

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"
)

// Draft builds an EdgeDevConfig. Its methods add or change one thing, refer to things by name and
// return the draft, so that they chain; what does not fit is collected and returned by Build. UUIDs
// derive from the draft's seed and the names, so equal drafts build equal configurations.
//
//	cfg, err := fleet.NewDraft("edge").
//		MgmtPort("eth0", 0).
//		Registry("reg", "registry.example:5000").
//		Image(fleet.Image{Name: "web", Store: "reg", URL: "library/web:1"}).
//		Volume(fleet.Volume{Name: "web", Image: "web"}).
//		LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
//		App(fleet.App{Name: "web", Volumes: []string{"web"},
//			Interfaces: []fleet.Interface{{Network: "lan", Rules: []fleet.Rule{
//				fleet.AllowAll(), fleet.MapPort("tcp", 8080, 80)}}}}).
//		Build()
//
// A draft lives on: change it, for instance with RestartApp, build again and set the new
// configuration. Identifier, version and timestamp are left to Device.SetConfig.
type Draft struct {
	seed string
	cfg  *config.EdgeDevConfig
	errs []error
}

// NewDraft starts an empty configuration. Drafts of one seed give a thing of one name one UUID.
func NewDraft(seed string) *Draft { return &Draft{seed: seed, cfg: &config.EdgeDevConfig{}} }

// DraftFrom goes on from an existing configuration, whose things keep their UUIDs.
func DraftFrom(seed string, cfg *config.EdgeDevConfig) *Draft {
	d := NewDraft(seed)
	if cfg != nil {
		d.cfg = proto.CloneOf(cfg)
		d.cfg.Id, d.cfg.ConfigTimestamp = nil, nil
	}
	return d
}

// Build is a copy of the configuration as it stands, or all that did not fit.
func (d *Draft) Build() (*config.EdgeDevConfig, error) {
	if err := errors.Join(d.errs...); err != nil {
		return nil, fmt.Errorf("build configuration %s: %w", d.seed, err)
	}
	return proto.CloneOf(d.cfg), nil
}

// Edit changes the configuration by hand, for what has no method.
func (d *Draft) Edit(change func(*config.EdgeDevConfig)) *Draft {
	change(d.cfg)
	return d
}

// Item sets a config item, for instance timer.config.interval to "60".
func (d *Draft) Item(key, value string) *Draft {
	for _, it := range d.cfg.GetConfigItems() {
		if it.GetKey() == key {
			it.Value = value
			return d
		}
	}
	d.cfg.ConfigItems = append(d.cfg.ConfigItems, &config.ConfigItem{Key: key, Value: value})
	return d
}

// RemoveItem takes a config item out, which returns it to its default on the device.
func (d *Draft) RemoveItem(key string) *Draft {
	d.cfg.ConfigItems = slices.DeleteFunc(d.cfg.ConfigItems, func(it *config.ConfigItem) bool {
		return it.GetKey() == key
	})
	return d
}

// Reboot asks for a reboot by counting its counter on. The first configuration that a device
// receives is only stored, so a reboot takes a change.
func (d *Draft) Reboot() *Draft {
	d.cfg.Reboot = nextCommand(d.cfg.Reboot)
	return d
}

// Shutdown asks to stop all applications, by counting its counter on.
func (d *Draft) Shutdown() *Draft {
	d.cfg.Shutdown = nextCommand(d.cfg.Shutdown)
	return d
}

func nextCommand(c *config.DeviceOpsCmd) *config.DeviceOpsCmd {
	return &config.DeviceOpsCmd{Counter: c.GetCounter() + 1, DesiredState: true}
}

// Maintenance sets the maintenance mode.
func (d *Draft) Maintenance(on bool) *Draft {
	d.cfg.MaintenanceMode = on
	return d
}

// Epoch sets controller_epoch; a change makes the device send all its info again.
func (d *Draft) Epoch(n int64) *Draft {
	d.cfg.ControllerEpoch = n
	return d
}

// BaseOS asks for an operating system of this version, to be loaded from an image of the draft.
func (d *Draft) BaseOS(version, image string, activate bool) *Draft {
	if d.image(image) == nil {
		return d.fail("base OS %s: no image %q", version, image)
	}
	d.cfg.Baseos = &config.BaseOS{
		ContentTreeUuid: d.ImageID(image), BaseOsVersion: version, Activate: activate,
	}
	return d
}

func (d *Draft) fail(format string, args ...any) *Draft {
	d.errs = append(d.errs, fmt.Errorf(format, args...))
	return d
}

// NetworkID is the UUID of the port network of this name.
func (d *Draft) NetworkID(name string) string { return ID(d.seed, "network", name) }

// StoreID is the UUID of the datastore of this name.
func (d *Draft) StoreID(name string) string { return ID(d.seed, "datastore", name) }

// ImageID is the UUID of the content tree of this name.
func (d *Draft) ImageID(name string) string { return ID(d.seed, "content", name) }

// VolumeID is the UUID of the volume of this name.
func (d *Draft) VolumeID(name string) string { return ID(d.seed, "volume", name) }

// InstanceID is the UUID of the network instance of this name.
func (d *Draft) InstanceID(name string) string { return ID(d.seed, "instance", name) }

// AppID is the UUID of the application of this name.
func (d *Draft) AppID(name string) string { return ID(d.seed, "app", name) }
