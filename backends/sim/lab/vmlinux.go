package lab

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Offsets of the x86 boot protocol's setup header.
const (
	setupSectorsAt  = 0x1f1
	setupMagicAt    = 0x202
	setupVersionAt  = 0x206
	payloadOffsetAt = 0x248
	payloadLengthAt = 0x24c
	setupHeaderEnd  = 0x250
)

// payloadVersion is the first boot protocol that tells where the payload is.
const payloadVersion = 0x208

// errNotPVH says that a kernel cannot be started at its ELF entry by QEMU.
var errNotPVH = errors.New("kernel has no PVH entry")

// vmlinux returns the ELF kernel inside a bzImage. It is an error if the image is packed in a
// way we do not know or the kernel cannot be started without its boot header.
func vmlinux(image []byte) ([]byte, error) {
	if len(image) < setupHeaderEnd || string(image[setupMagicAt:setupMagicAt+4]) != "HdrS" ||
		binary.LittleEndian.Uint16(image[setupVersionAt:]) < payloadVersion {
		return nil, errors.New("not a bzImage")
	}
	sectors := int(image[setupSectorsAt])
	if sectors == 0 {
		sectors = 4 // the boot protocol's default
	}
	start := (sectors+1)*512 + int(binary.LittleEndian.Uint32(image[payloadOffsetAt:]))
	length := int(binary.LittleEndian.Uint32(image[payloadLengthAt:]))
	if length < 8 || start < 0 || start+length > len(image) {
		return nil, errors.New("bzImage is cut short")
	}
	body, err := unpackPayload(image[start : start+length])
	if err != nil {
		return nil, fmt.Errorf("unpack kernel: %w", err)
	}
	return body, checkPVH(body)
}

// unpackPayload unpacks a kernel's payload. Its last four bytes are the unpacked size, which the
// formats do not expect.
func unpackPayload(payload []byte) ([]byte, error) {
	body := bytes.NewReader(payload[:len(payload)-4])
	size := int64(binary.LittleEndian.Uint32(payload[len(payload)-4:]))
	var reader io.Reader
	switch {
	case bytes.HasPrefix(payload, []byte{0x02, 0x21, 0x4c, 0x18}):
		reader = lz4.NewReader(body)
	case bytes.HasPrefix(payload, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		decoder, err := zstd.NewReader(body)
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		reader = decoder
	case bytes.HasPrefix(payload, []byte{0x1f, 0x8b}):
		gunzip, err := gzip.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		gunzip.Multistream(false)
		reader = gunzip
	default:
		return nil, fmt.Errorf("unknown compression % x", payload[:4])
	}
	out := make([]byte, 0, size)
	buffer := bytes.NewBuffer(out)
	if _, err := io.Copy(buffer, io.LimitReader(reader, size)); err != nil {
		return nil, err
	}
	if int64(buffer.Len()) != size {
		return nil, fmt.Errorf("unpacked %d bytes of %d", buffer.Len(), size)
	}
	return buffer.Bytes(), nil
}

// checkPVH looks for the ELF note XEN_ELFNOTE_PHYS32_ENTRY, by which QEMU starts a vmlinux.
func checkPVH(body []byte) error {
	const entryNote = 18
	file, err := elf.NewFile(bytes.NewReader(body))
	if err != nil {
		return err
	}
	for _, prog := range file.Progs {
		if prog.Type != elf.PT_NOTE {
			continue
		}
		notes, err := io.ReadAll(prog.Open())
		if err != nil {
			return err
		}
		if hasNote(notes, "Xen\x00", entryNote) {
			return nil
		}
	}
	return errNotPVH
}

func hasNote(notes []byte, owner string, kind uint32) bool {
	for len(notes) >= 12 {
		nameLen := int(binary.LittleEndian.Uint32(notes))
		descLen := int(binary.LittleEndian.Uint32(notes[4:]))
		name, desc := 12, 12+(nameLen+3)&^3
		next := desc + (descLen+3)&^3
		if next > len(notes) || next < 12 {
			return false
		}
		found := binary.LittleEndian.Uint32(notes[8:]) == kind
		if found && string(notes[name:name+nameLen]) == owner {
			return true
		}
		notes = notes[next:]
	}
	return false
}
