package main

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// cores are those that a device's loop and the writer of its recording run on while they are
// measured. Left to itself a busy machine may run both on one, where they take turns.
type cores struct {
	loop, writer unix.CPUSet
	two          bool // there are two to choose from
}

// maxCores is how many cores a set can name.
const maxCores = 1024

// findCores takes the first two that this process may use.
func findCores() (c cores, err error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return c, fmt.Errorf("look for processor cores: %w", err)
	}
	left := []*unix.CPUSet{&c.loop, &c.writer}
	for cpu := 0; cpu < maxCores && len(left) > 0; cpu++ {
		if all.IsSet(cpu) {
			left[0].Set(cpu)
			left = left[1:]
		}
	}
	c.two = len(left) == 0
	return c, nil
}

// pin keeps this goroutine on a core; its thread ends with it.
func (c *cores) pin(set *unix.CPUSet) error {
	runtime.LockOSThread()
	if !c.two {
		return nil
	}
	if err := unix.SchedSetaffinity(0, set); err != nil {
		return fmt.Errorf("keep to a processor core: %w", err)
	}
	return nil
}

// onLoop does something on the loop's core.
func (c *cores) onLoop(do func() error) error {
	done := make(chan error)
	go func() {
		err := c.pin(&c.loop)
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}

// nowhere takes a recording and pins whoever writes it.
type nowhere struct {
	cores  *cores
	pinned bool
}

// Write forgets what it is given.
func (n *nowhere) Write(b []byte) (int, error) {
	if !n.pinned {
		n.pinned = true
		if err := n.cores.pin(&n.cores.writer); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
