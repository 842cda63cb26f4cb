package lab

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// moduleName returns the kernel's name of a module for a path of its file: virtio-rng.ko.xz is
// virtio_rng.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return strings.ReplaceAll(name, "-", "_")
}

// readModule returns a module's object, unpacked as its ending says.
func readModule(path string) ([]byte, error) {
	packed, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch filepath.Ext(path) {
	case ".ko":
		return packed, nil
	case ".xz":
		// Go's library has no xz; the tool is part of every Debian (dpkg needs it).
		cmd := exec.Command("xz", "-dc")
		cmd.Stdin = bytes.NewReader(packed)
		return cmd.Output()
	case ".zst":
		decoder, err := zstd.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		return io.ReadAll(decoder)
	case ".gz":
		reader, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(reader)
	default:
		return nil, fmt.Errorf("unknown compression %s", filepath.Ext(path))
	}
}

// describeModule reads what a module says of itself in its section .modinfo: the modules it
// depends on (depends=a,b) and those that should be there before it (softdep=pre: a b post: c).
func describeModule(object []byte) (Module, error) {
	file, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		return Module{}, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return Module{}, fmt.Errorf("no section .modinfo")
	}
	text, err := section.Data()
	if err != nil {
		return Module{}, err
	}
	module := Module{After: []string{}}
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		key, value, _ := strings.Cut(string(entry), "=")
		switch key {
		case "name":
			module.Name = value
		case "depends":
			for name := range strings.SplitSeq(value, ",") {
				if name != "" {
					module.After = append(module.After, moduleName(name))
				}
			}
		case "softdep":
			module.After = append(module.After, softBefore(value)...)
		}
	}
	return module, nil
}

func softBefore(value string) []string {
	var names []string
	before := false
	for _, word := range strings.Fields(value) {
		switch {
		case strings.HasSuffix(word, ":"):
			before = word == "pre:"
		case before:
			names = append(names, moduleName(word))
		}
	}
	return names
}
