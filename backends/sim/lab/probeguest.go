package lab

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/u-root/u-root/pkg/cpio"
)

// probeMarker is what the probe guest writes on its console once it runs its first program.
const probeMarker = "evetwin-probe-guest-is-up\n"

// probeInitramfs returns an initramfs whose only program writes the marker and powers the
// machine off. It is so small that it can stand here as machine code, and so the probe needs
// nothing but QEMU and a kernel.
func probeInitramfs() ([]byte, error) {
	var image bytes.Buffer
	format, err := cpio.Format("newc")
	if err != nil {
		return nil, err
	}
	writer := format.Writer(&image)
	if err := writer.WriteRecord(cpio.StaticFile("init", string(probeInit()), 0o755)); err != nil {
		return nil, err
	}
	return image.Bytes(), cpio.WriteTrailer(writer)
}

// probeInit returns a static x86-64 ELF program: one header, one segment, three system calls.
func probeInit() []byte {
	const base, headers = 0x400000, 64 + 56
	code := slices.Concat(
		[]byte{0xb8, 1, 0, 0, 0},                         // mov eax, write
		[]byte{0xbf, 1, 0, 0, 0},                         // mov edi, stdout
		[]byte{0x48, 0x8d, 0x35, 56, 0, 0, 0},            // lea rsi, [rip+56]: the marker
		[]byte{0xba, byte(len(probeMarker)), 0, 0, 0},    // mov edx, its length
		[]byte{0x0f, 0x05},                               // syscall
		[]byte{0xb8, 16, 0, 0, 0},                        // mov eax, ioctl
		[]byte{0xbf, 1, 0, 0, 0},                         // mov edi, stdout
		[]byte{0xbe, 0x09, 0x54, 0, 0},                   // mov esi, TCSBRK
		[]byte{0xba, 1, 0, 0, 0},                         // mov edx, 1: wait till it is sent
		[]byte{0x0f, 0x05},                               // syscall
		[]byte{0xb8, 169, 0, 0, 0},                       // mov eax, reboot
		[]byte{0xbf, 0xad, 0xde, 0xe1, 0xfe},             // mov edi, LINUX_REBOOT_MAGIC1
		[]byte{0xbe, 0x69, 0x19, 0x12, 0x28},             // mov esi, LINUX_REBOOT_MAGIC2
		[]byte{0xba, 0xdc, 0xfe, 0x21, 0x43},             // mov edx, POWER_OFF
		[]byte{0x0f, 0x05, 0xeb, 0xfe, 0x90, 0x90, 0x90}, // syscall; jmp $
		[]byte(probeMarker),
	)
	size := uint64(headers + len(code))
	var out bytes.Buffer
	out.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	for _, field := range []any{
		uint16(2), uint16(62), uint32(1), // executable, x86-64, ELF version
		uint64(base + headers), uint64(64), uint64(0), // entry, program headers, no sections
		uint32(0), uint16(64), uint16(56), uint16(1), // flags, header sizes, one program header
		uint16(0), uint16(0), uint16(0), // no sections
		uint32(1), uint32(5), // load, read and execute
		uint64(0), uint64(base), uint64(base), size, size, uint64(0x1000),
	} {
		// Writing a fixed-size value to a buffer cannot go wrong.
		_ = binary.Write(&out, binary.LittleEndian, field)
	}
	out.Write(code)
	return out.Bytes()
}
