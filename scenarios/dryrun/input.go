package dryrun

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/eveapi/readjson"
)

// Options name the inputs; an empty name has the stated default.
type Options struct {
	// Model is a device model: the hardware. Default: what the configuration's deviceIoList
	// describes; if there is none either, Ethernet ports eth0, eth1, ... as many as the network has,
	// two without one.
	Model string
	// Network is the network around the device. Default: each Ethernet port, at least two, on a
	// network of its own with DHCP, DNS and a way to the Internet.
	Network string
	// Config is the device's configuration. Default: its first two Ethernet ports with DHCP for
	// management, no applications.
	Config string
	// Overrides is a folder of files for /config. Default: config-overrides beside Config, if it is
	// there.
	Overrides string
	// Bootstrap is a configuration that is signed into /config/bootstrap-config.pb, or "none".
	// Default: the configuration itself, where it names ports and there are no overrides.
	Bootstrap string
	// For is how much virtual time the device has to settle; 0 means ten minutes.
	For time.Duration
	// Seed of the world; 0 means 1.
	Seed uint64
}

// None as Options.Bootstrap is no bootstrap configuration.
const None = "none"

// DefaultFor is how much virtual time a device has to settle.
const DefaultFor = 10 * time.Minute

// Refusal is input that cannot be read or that a device does not take in.
type Refusal struct {
	// Lines say it, one mistake each: file, field, reason.
	Lines []string
}

// Error is all lines.
func (r *Refusal) Error() string { return strings.Join(r.Lines, "\n") }

func refuse(format string, args ...any) error {
	return &Refusal{[]string{oneLine(fmt.Sprintf(format, args...))}}
}

// maxLines bounds the mistakes that are told of one file.
const maxLines = 20

// refuseAll makes a refusal of an error that has a mistake per line.
func refuseAll(err error) error {
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	if more := len(lines) - maxLines; more > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("and %d more mistakes", more))
	}
	for i := range lines {
		lines[i] = oneLine(lines[i])
	}
	return &Refusal{lines}
}

// oneLine keeps what steers a terminal, which file names and files may hold, away from it: control
// characters, and those that turn the direction of the text or end a line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// Inputs are all inputs of a run, read and complete.
type Inputs struct {
	Network *world.Model
	// Config is what the controller gives the device.
	Config *config.EdgeDevConfig
	// Machine is the hardware.
	Machine Machine
	// Files are the files of /config beside those that belong to the controller.
	Files []File
	// Bootstrap is signed into /config/bootstrap-config.pb; nil if there is none.
	Bootstrap *config.EdgeDevConfig
	// Unknown lists fields of the files that are no part of their formats.
	Unknown []string
	// Notes say what of the inputs does not count, for people.
	Notes []string

	names []string // of the files, for messages
	limit time.Duration
	seed  uint64
}

// File is a file for the device's /config.
type File struct {
	Name   string // below /config
	Source string // as the user names it
	Data   []byte
}

// Read reads the inputs. An error of the type *Refusal tells of all that is wrong with one of them.
func Read(o Options) (*Inputs, error) {
	in := &Inputs{limit: o.For, seed: o.Seed}
	for _, name := range []string{o.Config, o.Network, o.Model, o.Overrides, o.Bootstrap} {
		if name != "" && name != None {
			in.names = append(in.names, name)
		}
	}
	if in.limit == 0 {
		in.limit = DefaultFor
	}
	if in.seed == 0 {
		in.seed = 1
	}
	model, err := in.readModel(o.Model)
	if err == nil {
		err = in.readNetwork(o.Network)
	}
	if err == nil && o.Config != "" {
		in.Config, err = in.readConfig(o.Config)
	}
	if err != nil {
		return nil, err
	}
	if model != nil {
		if in.Machine, err = machineOf(o.Model, model); err != nil {
			return nil, err
		}
	}
	in.complete(model != nil)
	if err := in.readOverrides(o); err != nil {
		return nil, err
	}
	return in, in.readBootstrap(o)
}

func (in *Inputs) readModel(file string) (*readjson.Model, error) {
	if file == "" {
		return nil, nil
	}
	data, err := load(file)
	if err != nil {
		return nil, err
	}
	m, err := readjson.ReadModel(file, data)
	if err != nil {
		return nil, refuseAll(err)
	}
	for i, io := range m.IOs() {
		if err := checkEnums(file, io.ProtoReflect(), fmt.Sprintf("ioMemberList[%d]", i)); err != nil {
			return nil, err
		}
	}
	in.unknown(m.Unknown)
	return m, nil
}

func (in *Inputs) readNetwork(file string) error {
	if file == "" {
		return nil
	}
	data, err := load(file)
	if err != nil {
		return err
	}
	m, err := world.Parse(file, data)
	if err != nil {
		return refuseAll(err)
	}
	in.Network = m
	in.unknown(m.Unknown)
	return nil
}

func (in *Inputs) readConfig(file string) (*config.EdgeDevConfig, error) {
	data, err := load(file)
	if err != nil {
		return nil, err
	}
	cfg, unknown, err := readjson.ReadConfigJSON(file, data)
	if err != nil {
		return nil, refuseAll(err)
	}
	if err := checkAmount(file, cfg); err != nil {
		return nil, err
	}
	if err := checkEnums(file, cfg.ProtoReflect(), ""); err != nil {
		return nil, err
	}
	in.unknown(unknown)
	return cfg, nil
}

// unknown adds fields to the list, each once.
func (in *Inputs) unknown(fields []string) {
	seen := make(map[string]bool, len(in.Unknown))
	for _, f := range in.Unknown {
		seen[f] = true
	}
	for _, f := range fields {
		if !seen[f] {
			in.Unknown = append(in.Unknown, f)
		}
	}
}

// complete puts the stated defaults where an input is missing; modelled tells whether there is a
// device model.
func (in *Inputs) complete(modelled bool) {
	if !modelled {
		in.Machine = guessMachine(in.Config, in.Network)
	}
	if in.Network == nil {
		in.Network = world.Default(max(2, len(in.Machine.ethernets())))
	}
	in.Machine.plug(in.Network)
	ios := in.Machine.ios
	switch {
	case in.Config == nil:
		in.Config = defaultConfig(ios)
	case len(in.Config.GetDeviceIoList()) == 0:
		in.Config.DeviceIoList = ios
	}
}

func (in *Inputs) readBootstrap(o Options) error {
	switch {
	case o.Bootstrap == None:
	case o.Bootstrap != "":
		cfg, err := in.readConfig(o.Bootstrap)
		if err != nil {
			return err
		}
		if len(cfg.GetDeviceIoList()) == 0 {
			cfg.DeviceIoList = in.Machine.ios
		}
		in.Bootstrap = cfg
	case len(in.Files) > 0:
	case len(in.Config.GetSystemAdapterList()) > 0:
		in.Bootstrap = in.Config
	default:
		in.Notes = append(in.Notes, "the configuration names no ports, so there is no bootstrap "+
			"configuration: the device looks for a network by itself")
	}
	return nil
}

// maxInput bounds every input file in bytes; the formats have lower limits of their own.
const maxInput = 32 << 20

// load reads an input file whose size is within reason.
func load(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, refuse("%s: %v", file, cause(err))
	}
	switch {
	case st.IsDir():
		return nil, refuse("%s: it is a folder", file)
	case !st.Mode().IsRegular():
		return nil, refuse("%s: it is not a regular file", file)
	case st.Size() > maxInput:
		return nil, refuse("%s: %d bytes exceed the limit of %d", file, st.Size(), maxInput)
	}
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, refuse("%s: %v", file, cause(err))
	}
	return data, nil
}

// cause is an error of the file system without the path, which the message names already.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
