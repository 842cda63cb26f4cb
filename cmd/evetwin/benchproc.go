package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
)

// tick is the unit of processor time in /proc: the kernel shows a hundredth of a second to all.
const tick = 10 * time.Millisecond

// spent is the processor time of a device's processes, and which they are.
func spent(s *zedbox.Status) (total time.Duration, pids []int, err error) {
	pids = []int{s.PID, s.Hub.PID}
	for _, a := range s.Agents {
		pids = append(pids, a.PID)
	}
	slices.Sort(pids)
	pids = slices.Compact(pids)
	for _, pid := range pids {
		d, err := processTime(pid)
		if err != nil {
			return 0, nil, err
		}
		total += d
	}
	return total, pids, nil
}

// processTime is the processor time of a process, in user and kernel.
func processTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// Behind the name, which may hold anything: state is field 3, utime 14 and stime 15.
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("read the time of process %d from %q", pid, b)
	}
	user, errUser := strconv.ParseInt(f[11], 10, 64)
	system, errSystem := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(errUser, errSystem)
}

// proportional is the resident memory of a process in MiB: of what it shares, its part.
func proportional(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "Pss:" {
			kib, err := strconv.ParseFloat(f[1], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("read the memory of process %d: it says nothing", pid)
}
