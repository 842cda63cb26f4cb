package lab

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// fillKernel downloads a kernel package and keeps the kernel and the modules guests need in dir.
func fillKernel(ctx context.Context, pkg, dir string) error {
	scratch := filepath.Join(dir, "scratch")
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	deb, err := downloadPackage(ctx, pkg, scratch)
	if err != nil {
		return err
	}
	if err := unpackKernel(ctx, deb, scratch); err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(deb), err)
	}
	kernel, err := keepKernel(scratch, dir)
	if err != nil {
		return err
	}
	kernel.Package = pkg
	text, err := json.MarshalIndent(kernel, "", "\t")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(scratch); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, kernelFile), append(text, '\n'), 0o644)
}

// downloadPackage downloads a Debian package, verified by apt, into dir and returns its file.
func downloadPackage(ctx context.Context, pkg, dir string) (string, error) {
	args := []string{"download", "-q", pkg}
	if os.Getuid() == 0 {
		// As root, apt downloads as the user _apt, who may not write here.
		args = append([]string{"-o", "APT::Sandbox::User=root"}, args...)
	}
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("download %s: %w: %s", pkg, err, lastLine(string(out)))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("download %s: apt-get left %d packages", pkg, len(found))
	}
	return found[0], nil
}

// unpackKernel takes the kernel image and all module files out of a package, without their
// folders. Names within a kernel's tree of modules are unique.
func unpackKernel(ctx context.Context, deb, into string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = takeKernelFiles(tar.NewReader(pipe), into)
	_, _ = io.Copy(io.Discard, pipe)
	return errors.Join(err, cmd.Wait())
}

func takeKernelFiles(archive *tar.Reader, into string) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Base(header.Name)
		image := strings.HasPrefix(name, "vmlinuz-")
		if header.Typeflag != tar.TypeReg || !image && !isModule(name) {
			continue
		}
		file, err := os.Create(filepath.Join(into, name))
		if err != nil {
			return err
		}
		_, err = io.Copy(file, archive)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
}

func isModule(name string) bool {
	return strings.HasSuffix(name, ".ko") || strings.Contains(name, ".ko.")
}

// keepKernel moves what guests need from the scratch folder to dir.
func keepKernel(scratch, dir string) (Kernel, error) {
	images, _ := filepath.Glob(filepath.Join(scratch, "vmlinuz-*"))
	if len(images) != 1 {
		return Kernel{}, fmt.Errorf("package holds %d kernel images, want 1", len(images))
	}
	kernel := Kernel{Version: strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")}
	image, err := os.ReadFile(images[0])
	if err != nil {
		return Kernel{}, err
	}
	kernel.Image, kernel.Path = "vmlinuz", "vmlinuz"
	if err := os.WriteFile(filepath.Join(dir, kernel.Image), image, 0o644); err != nil {
		return Kernel{}, err
	}
	// A kernel we cannot unpack boots as it is, only slower.
	if body, err := vmlinux(image); err == nil {
		kernel.Path = "vmlinux"
		if err := os.WriteFile(filepath.Join(dir, kernel.Path), body, 0o644); err != nil {
			return Kernel{}, err
		}
	}
	kernel.Parts, err = keepModules(scratch, dir)
	return kernel, err
}

// keepModules keeps the wanted modules and all they depend on.
func keepModules(scratch, dir string) ([]Module, error) {
	files, _ := filepath.Glob(filepath.Join(scratch, "*.ko*"))
	byName := map[string]string{}
	for _, file := range files {
		byName[moduleName(file)] = file
	}
	var kept []Module
	queue, seen := wantedModules(), map[string]bool{}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		file, ok := byName[moduleName(name)]
		if seen[name] || !ok {
			// What is no file is built in, or this kernel does not know it: Modules tells.
			continue
		}
		seen[name] = true
		object, err := readModule(file)
		if err != nil {
			return nil, fmt.Errorf("read module %s: %w", filepath.Base(file), err)
		}
		module, err := describeModule(object)
		if err != nil {
			return nil, fmt.Errorf("read module %s: %w", filepath.Base(file), err)
		}
		module.Name, module.File = name, name+".ko"
		module.After = slices.DeleteFunc(module.After, func(before string) bool {
			return byName[before] == ""
		})
		if err := os.WriteFile(filepath.Join(dir, module.File), object, 0o644); err != nil {
			return nil, err
		}
		kept = append(kept, module)
		queue = append(queue, module.After...)
	}
	slices.SortFunc(kept, func(a, b Module) int { return strings.Compare(a.Name, b.Name) })
	return kept, nil
}
