package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
)

// A key event of evdev: 16 bytes of time, then type, code and value.
const (
	eventSize = 24
	eventKey  = 1
	keyPower  = 116
)

// powerButton returns a channel that is closed when the power button is pressed. Without the
// modules button and evdev there is no such device and the channel stays open for ever, which is
// what a guest that ignores ACPI looks like.
func powerButton() <-chan struct{} {
	pressed := make(chan struct{})
	press := sync.OnceFunc(func() { close(pressed) })
	devices, _ := filepath.Glob("/dev/input/event*")
	for _, device := range devices {
		file, err := os.Open(device)
		if err != nil {
			continue
		}
		go watch(file, press)
	}
	return pressed
}

func watch(file *os.File, press func()) {
	defer func() { _ = file.Close() }()
	event := make([]byte, eventSize)
	for {
		if n, err := file.Read(event); err != nil || n != eventSize {
			return
		}
		kind := binary.NativeEndian.Uint16(event[16:])
		code := binary.NativeEndian.Uint16(event[18:])
		if kind == eventKey && code == keyPower && binary.NativeEndian.Uint32(event[20:]) == 1 {
			press()
		}
	}
}
