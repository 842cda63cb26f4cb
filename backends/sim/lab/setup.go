package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Options of Setup.
type Options struct {
	// Cache takes the guest kernel.
	Cache Cache
	// Out takes what a person should read: what is being done, what to run. Nil means nobody.
	Out io.Writer
}

// Result is what Setup left behind.
type Result struct {
	// Installed are the packages Setup installed.
	Installed []string
	// Missing are the packages that are still not there.
	Missing []string
	// Command installs what is missing; empty when nothing is.
	Command string
	// Kernel is the guest kernel; its Path is empty when there is none.
	Kernel Kernel
	// Faults are what did not work. Each costs a part, none costs evetwin.
	Faults []error
}

// errNotRoot says that packages cannot be installed by this user.
var errNotRoot = errors.New("installing packages needs root, and sudo asks for a password")

// Setup installs the Debian packages that are missing, as root or through sudo if that needs no
// password, and fetches the guest kernel. What it cannot do it reports and goes on: evetwin works
// with any of the parts. When nothing is missing it takes some 50 ms and changes nothing. It
// returns an error only when ctx ends.
func Setup(ctx context.Context, opts Options) (Result, error) {
	if opts.Out == nil {
		opts.Out = io.Discard
	}
	var result Result
	missing, err := missingPackages(ctx)
	if err != nil {
		result.Faults = append(result.Faults, err)
	}
	if len(missing) > 0 {
		if err := install(ctx, missing, opts.Out); err != nil {
			result.Faults = append(result.Faults, err)
		}
		result.note(ctx, missing)
		if result.Command != "" {
			fmt.Fprintf(opts.Out, "evetwin goes on without what is missing; to install it, run\n"+
				"  %s\n", result.Command)
		}
	}
	result.Kernel, err = FindKernel(opts.Cache)
	if errors.Is(err, ErrNoKernel) && ctx.Err() == nil {
		fmt.Fprintln(opts.Out, "fetching the guest kernel")
		result.Kernel, err = FetchKernel(ctx, opts.Cache)
	}
	if err != nil {
		result.Faults = append(result.Faults, err)
		fmt.Fprintln(opts.Out, "no guest kernel, so no QEMU guests:", err)
	}
	return result, ctx.Err()
}

// note compares what was missing with what is missing now.
func (r *Result) note(ctx context.Context, before []string) {
	now, err := missingPackages(ctx)
	if err != nil {
		now = before
	}
	still := map[string]bool{}
	for _, name := range now {
		still[name] = true
	}
	for _, name := range before {
		if still[name] {
			r.Missing = append(r.Missing, name)
		} else {
			r.Installed = append(r.Installed, name)
		}
	}
	if len(r.Missing) > 0 {
		r.Command = "sudo apt-get install -y --no-install-recommends " +
			strings.Join(r.Missing, " ")
	}
}

// missingPackages returns the packages of the list that dpkg does not have, in its order.
func missingPackages(ctx context.Context) ([]string, error) {
	args := []string{"-W", "-f", "${Package} ${db:Status-Status}\n"}
	var names []string
	for _, pkg := range Packages() {
		names = append(names, pkg.Name)
	}
	out, err := exec.CommandContext(ctx, "dpkg-query", append(args, names...)...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		// Not Debian, or nothing of it: whatever is here, we cannot ask for it by package.
		return names, fmt.Errorf("ask dpkg what is installed: %w", err)
	}
	return absent(names, out), nil
}

func absent(names []string, listing []byte) []string {
	installed := map[string]bool{}
	for line := range strings.Lines(string(listing)) {
		name, status, _ := strings.Cut(strings.TrimSpace(line), " ")
		installed[name] = status == "installed"
	}
	var missing []string
	for _, name := range names {
		if !installed[name] {
			missing = append(missing, name)
		}
	}
	return missing
}

// install installs packages. It refreshes the package index only when the first attempt fails:
// a fresh machine has none, and an old index names packages that are gone.
func install(ctx context.Context, packages []string, out io.Writer) error {
	become, err := becomeRoot(ctx)
	if err != nil {
		return err
	}
	args := append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)
	fmt.Fprintln(out, "installing", strings.Join(packages, " "))
	if err := aptGet(ctx, become, args, out); err == nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintln(out, "refreshing the package index")
	if err := aptGet(ctx, become, []string{"update", "-q"}, out); err != nil {
		return err
	}
	return aptGet(ctx, become, args, out)
}

// becomeRoot returns the words that go before a command to run it as root.
func becomeRoot(ctx context.Context) ([]string, error) {
	if os.Getuid() == 0 {
		return nil, nil
	}
	if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
		return nil, errNotRoot
	}
	return []string{"sudo", "-n"}, nil
}

// aptGet runs apt-get without questions. Its own words go to out only when it fails.
func aptGet(ctx context.Context, become, args []string, out io.Writer) error {
	line := append([]string{}, become...)
	line = append(line, "env", "DEBIAN_FRONTEND=noninteractive",
		"apt-get", "-o", "DPkg::Lock::Timeout=120")
	line = append(line, args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		_, _ = out.Write(said.Bytes())
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLine(said.String()))
	}
	return nil
}

// output runs a command and returns what it wrote to stdout, or an error with its last words.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), fmt.Errorf("%s: %w: %s", name, err, lastLine(string(exit.Stderr)))
	}
	return string(out), err
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
