package boot

import (
	"errors"
	"fmt"
	"io"

	"github.com/diskfs/go-diskfs/backend"
	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/partition/gpt"

	device "github.com/evetwin/evetwin/core/device/boot"
)

// shift is where the boot loader's attributes are among those of a partition.
const shift = 48

// sector is the size of a sector, in bytes.
const sector = 512

// errNoPart says that a table has not the partition.
var errNoPart = errors.New("there is no such partition")

// state is a partition of the operating system.
type state struct {
	label, state string
	optional     bool // to be written only if there is one: the first boot may have no second
}

// steps is a disk that asks before it is written to.
type steps struct {
	backend.WritableFile
	before func(at int64) error
}

// WriteAt writes, if nobody has anything against it.
func (s steps) WriteAt(p []byte, at int64) (int, error) {
	if s.before != nil {
		if err := s.before(at); err != nil {
			return 0, err
		}
	}
	return s.WritableFile.WriteAt(p, at)
}

// Sync makes durable what was written.
func (s steps) Sync() error {
	if f, ok := s.WritableFile.(interface{ Sync() error }); ok {
		return f.Sync()
	}
	return errors.New("the disk cannot be synced")
}

// onTable reads the table of a disk and has f work with it.
func onTable(path string, readOnly bool, f func(t *gpt.Table, disk backend.Storage) error) error {
	disk, err := file.OpenFromPathWithExclusive(path, readOnly, false)
	if err != nil {
		return err
	}
	t, err := gpt.Read(disk, sector, sector)
	if err == nil {
		err = f(t, disk)
	}
	return errors.Join(err, disk.Close())
}

// readStates reads the partitions of the operating system, by label.
func readStates(path string) (out []state, err error) {
	err = onTable(path, true, func(t *gpt.Table, _ backend.Storage) error {
		out = statesOf(t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the partitions of %s: %w", path, err)
	}
	return out, nil
}

func statesOf(t *gpt.Table) (out []state) {
	for _, label := range []string{device.ImgA, device.ImgB} {
		if p := find(t, label); p != nil {
			out = append(out, state{label: label, state: device.StateOf(uint16(p.Attributes >> shift))})
		}
	}
	return out
}

func find(t *gpt.Table, label string) *gpt.Partition {
	for _, p := range t.Partitions {
		if p.Type != gpt.Unused && p.Name == label {
			return p
		}
	}
	return nil
}

// writeStates gives partitions other states, all of them in one instant. A table whose first copy
// is damaged is mended before, so that its second is never the only one while it is written. What
// has the states already is not written.
func writeStates(path string, want []state, before func(at int64) error) error {
	err := onTable(path, false, func(t *gpt.Table, disk backend.Storage) error {
		writable, err := disk.Writable()
		if err != nil {
			return err
		}
		size, err := disk.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		to := steps{writable, before}
		if t.RecoveredFromBackup {
			if err := t.Write(to, size); err != nil {
				return err
			}
		}
		changed := false
		for _, w := range want {
			p := find(t, w.label)
			if p == nil && w.optional {
				continue
			}
			if p == nil {
				return fmt.Errorf("%s: %w", w.label, errNoPart)
			}
			if device.StateOf(uint16(p.Attributes>>shift)) != w.state {
				changed = true
				p.Attributes = p.Attributes&(1<<shift-1) | uint64(device.Attributes(w.state))<<shift
			}
		}
		if !changed {
			return nil
		}
		return t.Write(to, size)
	})
	if err != nil {
		return fmt.Errorf("mark partitions of %s: %w", path, err)
	}
	return nil
}

// Load does what the boot loader does with a disk: it takes a partition, notes that it was tried,
// and returns its label; empty if there is none to boot from.
func Load(path string) (label string, err error) {
	states, err := readStates(path)
	if err != nil {
		return "", err
	}
	attributes := make([]uint16, len(states))
	for i, s := range states {
		attributes[i] = device.Attributes(s.state)
	}
	chosen, after := device.Choose(attributes)
	if chosen < 0 {
		return "", nil
	}
	next := []state{{label: states[chosen].label, state: device.StateOf(after)}}
	if err := writeStates(path, next, nil); err != nil {
		return "", err
	}
	return states[chosen].label, nil
}
