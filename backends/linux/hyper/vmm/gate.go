package vmm

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// gate is a shell that leaves behind another one, which is no child of ours, and tells its number.
// That one becomes the program when it gets a word, and ends without.
const gate = `exec 9<&0
( exec >&2; read -r word <&9 && exec "$@" 9<&- ) &
echo $!`

// gated is a process that waits to become a program.
type gated struct {
	id   identity
	word *os.File
}

// spawn starts a process that will become a program; log takes what it complains about. It has the
// network of a namespace.
func spawn(space, program string, c qemu.Command, log *os.File) (*gated, error) {
	in, word, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	var out bytes.Buffer
	cmd := exec.Command("sh", append([]string{"-c", gate, "qemu", program}, c.Args...)...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = "/", in, &out, log
	cmd.ExtraFiles = c.Files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// A process has the network of the thread that made it.
	err = netspace.Do(space, cmd.Run)
	g := &gated{word: word}
	var pid int
	if err == nil {
		pid, err = strconv.Atoi(string(bytes.TrimSpace(out.Bytes())))
	}
	if err == nil {
		g.id, err = identify(pid)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a process: %w", err), word.Close())
	}
	return g, nil
}

// release has the process become its program.
func (g *gated) release() error {
	_, err := g.word.WriteString("go\n")
	return errors.Join(err, g.word.Close())
}

// cancel has it end.
func (g *gated) cancel() { _ = g.word.Close() }
