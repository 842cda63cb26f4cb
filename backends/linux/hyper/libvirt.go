package hyper

import (
	"errors"
	"fmt"

	"github.com/digitalocean/go-libvirt"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
)

// virt is libvirt, by a connection that ends with the daemon.
type virt struct{ l *libvirt.Libvirt }

// residentTag is the statistic of a domain's resident memory, in KiB.
const residentTag = int32(libvirt.DomainMemoryStatRss)

// over asks for something simple: all but libvirt's own errors are the connection's.
func (v virt) over() bool {
	_, err := v.l.ConnectGetLibVersion()
	var own libvirt.Error
	return err != nil && !errors.As(err, &own)
}

// lookup finds a domain.
func (v virt) lookup(name string) (libvirt.Domain, error) {
	d, err := v.l.DomainLookupByName(name)
	if libvirt.IsNotFound(err) {
		return d, errGone
	}
	if err != nil {
		return d, fmt.Errorf("find domain %s: %w", name, err)
	}
	return d, nil
}

// on calls f with a domain; what says what is done.
func (v virt) on(name, what string, f func(libvirt.Domain) error) error {
	d, err := v.lookup(name)
	if err != nil {
		return err
	}
	if err := f(d); err != nil {
		return fmt.Errorf("%s domain %s: %w", what, name, err)
	}
	return nil
}

func (v virt) names() ([]string, error) {
	all, _, err := v.l.ConnectListAllDomains(1, 0)
	if err != nil {
		return nil, fmt.Errorf("list domains: %w", err)
	}
	var out []string
	for _, d := range all {
		out = append(out, d.Name)
	}
	return out, nil
}

func (v virt) read(name string) (f found, err error) {
	d, err := v.lookup(name)
	if err != nil {
		return f, err
	}
	state, reason, err := v.l.DomainGetState(d, 0)
	if err == nil {
		var text string
		if text, err = v.l.DomainGetXMLDesc(d, libvirt.DomainXMLInactive); err == nil {
			f.note, err = domxml.Note(text)
		}
	}
	if libvirt.IsNotFound(err) {
		return f, errGone // it went meanwhile
	}
	if err != nil {
		return f, fmt.Errorf("read domain %s: %w", name, err)
	}
	f.is = conditionOf(libvirt.DomainState(state), libvirt.DomainShutoffReason(reason))
	return f, nil
}

// conditionOf maps libvirt's words.
func conditionOf(s libvirt.DomainState, why libvirt.DomainShutoffReason) condition {
	switch s {
	case libvirt.DomainRunning, libvirt.DomainBlocked:
		return executing
	case libvirt.DomainPaused, libvirt.DomainPmsuspended:
		return paused
	case libvirt.DomainShutdown:
		return goingDown
	case libvirt.DomainCrashed:
		return offCrashed
	}
	switch why {
	case libvirt.DomainShutoffShutdown:
		return offShutdown
	case libvirt.DomainShutoffDestroyed:
		return offKilled
	case libvirt.DomainShutoffCrashed, libvirt.DomainShutoffFailed, libvirt.DomainShutoffDaemon:
		return offCrashed
	}
	return offUnknown
}

func (v virt) annotate(name string, note []byte) error {
	return v.on(name, "annotate", func(d libvirt.Domain) error {
		alive, err := v.l.DomainIsActive(d)
		if err != nil {
			return err
		}
		to := libvirt.DomainAffectConfig
		if alive != 0 {
			to |= libvirt.DomainAffectLive
		}
		return v.l.DomainSetMetadata(d, int32(libvirt.DomainMetadataElement),
			libvirt.OptString{domxml.NoteElement(note)}, libvirt.OptString{domxml.Prefix},
			libvirt.OptString{domxml.Namespace}, to)
	})
}

func (v virt) define(d domxml.Domain) error {
	text, err := d.Marshal()
	if err != nil {
		return err
	}
	if _, err := v.l.DomainDefineXMLFlags(text, 0); err != nil {
		return fmt.Errorf("define domain %s: %w", d.Spec.Name, err)
	}
	return nil
}

func (v virt) launch(name string) error {
	return v.on(name, "start", func(d libvirt.Domain) error {
		_, err := v.l.DomainCreateWithFlags(d, uint32(libvirt.DomainStartPaused))
		return err
	})
}

func (v virt) resume(name string) error {
	return v.on(name, "resume", v.l.DomainResume)
}

// offAlready makes doing what is done a success.
func offAlready(err error) error {
	var e libvirt.Error
	if errors.As(err, &e) && e.Code == uint32(libvirt.ErrOperationInvalid) {
		return nil
	}
	return err
}

func (v virt) press(name string) error {
	return v.on(name, "press the power button of", func(d libvirt.Domain) error {
		return offAlready(v.l.DomainShutdownFlags(d, libvirt.DomainShutdownAcpiPowerBtn))
	})
}

func (v virt) kill(name string) error {
	return v.on(name, "end", func(d libvirt.Domain) error {
		return offAlready(v.l.DomainDestroyFlags(d, libvirt.DomainDestroyDefault))
	})
}

func (v virt) forget(name string) error {
	return v.on(name, "undefine", func(d libvirt.Domain) error {
		return v.l.DomainUndefineFlags(d, libvirt.DomainUndefineNvram)
	})
}

func (v virt) use(name string) (cpu, memory uint64, err error) {
	err = v.on(name, "measure", func(d libvirt.Domain) error {
		_, _, _, _, ns, err := v.l.DomainGetInfo(d)
		if err != nil {
			return err
		}
		cpu = ns
		stats, err := v.l.DomainMemoryStats(d, uint32(libvirt.DomainMemoryStatNr), 0)
		for _, s := range stats {
			if s.Tag == residentTag {
				memory = s.Val >> 10
			}
		}
		return err
	})
	return cpu, memory, err
}
