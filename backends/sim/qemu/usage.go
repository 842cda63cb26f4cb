package qemu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor times in /proc: Linux shows them in hundredths of a second
// on every architecture.
const clockTick = 10 * time.Millisecond

// Usage is what a guest's QEMU process takes from the machine.
type Usage struct {
	// RSSBytes is its resident memory.
	RSSBytes uint64
	// CPU is the processor time it has used.
	CPU time.Duration
}

// Usage reads what the guest uses now. A guest that has ended is an error.
func (vm *VM) Usage() (Usage, error) {
	u, err := ProcessUsage(vm.process.PID())
	if err != nil {
		return u, fmt.Errorf("usage of guest %s: %w", vm.name, err)
	}
	return u, nil
}

// ProcessUsage reads what a process uses now. Whether the number is still that of the process that
// is meant, the caller has to know.
func ProcessUsage(pid int) (Usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	statm, err := os.ReadFile(dir + "/statm")
	if err != nil {
		return Usage{}, err
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, err
	}
	return parseUsage(string(statm), string(stat))
}

// parseUsage reads proc(5): resident pages are the second field of statm; user and system time
// the 12th and 13th of stat after the program's name, which may hold anything in parentheses.
func parseUsage(statm, stat string) (Usage, error) {
	memory := strings.Fields(statm)
	rest := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(memory) < 2 || len(rest) < 13 {
		return Usage{}, fmt.Errorf("read usage: too few fields in %q and %q", statm, stat)
	}
	var numbers [3]uint64
	for i, field := range []string{memory[1], rest[11], rest[12]} {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("read usage: %w", err)
		}
		numbers[i] = n
	}
	return Usage{
		RSSBytes: numbers[0] * uint64(os.Getpagesize()),
		CPU:      time.Duration(numbers[1]+numbers[2]) * clockTick,
	}, nil
}
