package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// configState is a device's configuration, serialized once when it is set.
type configState struct {
	raw     []byte
	hash    string
	version string
	at      time.Time
}

// Change is a new configuration of a device.
type Change struct {
	// Config is the wish. Its id.uuid is set to the device's. Its id.version, if there is one and
	// the device has a configuration, must be the version the device has now.
	Config *config.EdgeDevConfig
	// If is the version the device must have now, "" for any.
	If string
	// At becomes config_timestamp, but never one before the last; zero leaves the timestamp alone.
	At time.Time
}

// SetConfig replaces the device's configuration and returns its version, which is the next number.
// The first configuration keeps a version it comes with. ErrStale if the device has another version
// than the change was made for.
func (d *Device) SetConfig(c Change) (version string, err error) {
	cfg := proto.CloneOf(c.Config)
	if cfg == nil {
		return "", fmt.Errorf("set configuration of %s: there is none", d.uuid)
	}
	have := d.config.version
	if want := c.If; want != "" && want != have {
		return "", fmt.Errorf("set configuration of %s: made for version %s, is %s: %w",
			d.uuid, want, have, ErrStale)
	}
	given := cfg.GetId().GetVersion()
	if given != "" && have != "" && given != have {
		return "", fmt.Errorf("set configuration of %s: has version %s, is %s: %w",
			d.uuid, given, have, ErrStale)
	}
	version = nextVersion(have)
	if have == "" && given != "" {
		version = given
	}
	cfg.Id = &config.UUIDandVersion{Uuid: d.uuid, Version: version}
	at := d.config.at
	if !c.At.IsZero() {
		if c.At.After(at) {
			at = c.At
		}
		cfg.ConfigTimestamp = timestamppb.New(at)
	}
	cfg.ControllercertConfighash = ""
	raw, err := eveapi.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("set configuration of %s: %w", d.uuid, err)
	}
	d.config = configState{raw: raw, hash: configHash(raw), version: version, at: at}
	d.fleet.changed(d.uuid)
	return version, nil
}

// SetRawConfig makes bytes the device's configuration that need not be one, to see what a device
// does with it. The version moves on.
func (d *Device) SetRawConfig(raw []byte) {
	d.config.raw, d.config.hash = raw, configHash(raw)
	d.config.version = nextVersion(d.config.version)
	d.fleet.changed(d.uuid)
}

// Config is a copy of the device's configuration and its version. Without one it is a configuration
// that says nothing but whose it is, and version "".
func (d *Device) Config() (*config.EdgeDevConfig, string, error) {
	raw, _, version := d.ConfigBytes()
	cfg := &config.EdgeDevConfig{}
	if err := proto.Unmarshal(raw, cfg); err != nil {
		return nil, version, fmt.Errorf("read configuration of %s: %w", d.uuid, err)
	}
	return cfg, version, nil
}

// ConfigBytes is the serialized configuration, an opaque hash of it and its version. The bytes must
// not be changed.
func (d *Device) ConfigBytes() (raw []byte, hash, version string) {
	if d.config.hash == "" {
		d.config = emptyConfig(d.uuid)
	}
	return d.config.raw, d.config.hash, d.config.version
}

// emptyConfig is served to a device until somebody sets a configuration.
func emptyConfig(uuid string) configState {
	raw, err := eveapi.Marshal(&config.EdgeDevConfig{Id: &config.UUIDandVersion{Uuid: uuid}})
	if err != nil {
		panic(fmt.Sprintf("fleet: a configuration with a UUID alone does not serialize: %v", err))
	}
	return configState{raw: raw, hash: configHash(raw)}
}

func configHash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// nextVersion counts on from a number; after anything else it starts at 1.
func nextVersion(v string) string {
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil {
		n = 0
	}
	return strconv.FormatUint(n+1, 10)
}
