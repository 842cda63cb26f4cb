package main

import (
	"syscall"
	"unsafe"
)

// tcsbrk is the ioctl that, with argument 1, waits until all output is sent.
const tcsbrk = 0x5409

// rawConsole stops the terminal from turning newlines into two bytes, so that the host sees
// exactly what programs write.
func rawConsole() {
	var term syscall.Termios
	if ioctl(1, syscall.TCGETS, uintptr(unsafe.Pointer(&term))) == nil {
		term.Oflag &^= syscall.OPOST
		_ = ioctl(1, syscall.TCSETS, uintptr(unsafe.Pointer(&term)))
	}
}

// drainConsole waits until the serial port has sent everything.
func drainConsole() { _ = ioctl(1, tcsbrk, 1) }

func ioctl(fd, request, argument uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, argument); errno != 0 {
		return errno
	}
	return nil
}
