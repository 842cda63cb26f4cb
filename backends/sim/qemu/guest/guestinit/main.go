// Command guestinit is the first program in a guest that runs a container image: it mounts what
// a program expects, inserts modules, brings the network up, runs the image's command, and
// powers the machine off when that has ended or the power button was pressed.
//
// It is built by the host when it is first needed, without cgo, from the standard library.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest/boot"
)

func main() {
	rawConsole()
	if err := run(); err != nil {
		say("%v", err)
	}
	powerOff()
}

// run does everything in order and returns when the machine is to go down.
func run() error {
	if err := mountKernelFiles("/"); err != nil {
		return err
	}
	config, err := readConfig()
	if err != nil {
		return err
	}
	insertModules(config.Modules)
	if err := enterRoot(config); err != nil {
		return err
	}
	setHostname(config.Hostname)
	bringUpNetwork()
	unmount := mountDisks(config.Mounts)
	defer unmount()
	fmt.Printf("%s %s boot=%d\n", boot.Banner, config.UUID, config.Boot)
	pressed := powerButton()
	code, err := runPayload(config, pressed)
	fmt.Printf("%s %s code=%d\n", boot.Exit, config.UUID, code)
	if err == nil && config.StayUp {
		<-pressed
	}
	return err
}

func readConfig() (boot.Config, error) {
	var config boot.Config
	text, err := os.ReadFile("/" + boot.ConfigPath)
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return config, fmt.Errorf("read %s: %w", boot.ConfigPath, err)
	}
	return config, nil
}

// say writes a line of our own on the console.
func say(format string, args ...any) {
	fmt.Printf("guestinit: "+format+"\n", args...)
}

// powerOff ends the machine. What stands on the console must have left the serial port first.
func powerOff() {
	syscall.Sync()
	drainConsole()
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	select {} // a machine without power management stays here; its first program must not end
}
