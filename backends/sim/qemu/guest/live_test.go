package guest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
)

// roundsVariable sets how often TestAPP48_DemoAnswersAndObeys boots, for measurements.
const roundsVariable = "EVETWIN_ROUNDS"

// TestAPP48_DemoAnswersAndObeys boots the bundled application, shuts it down in good order each
// time, and tells the median time from the start of QEMU to the HTTP answer.
func TestAPP48_DemoAnswersAndObeys(t *testing.T) {
	b := newBench(t)
	root := b.root(b.demo(), guest.RootOptions{})
	var took []time.Duration
	boots := map[string]bool{}
	rounds := 2
	if _, err := fmt.Sscan(os.Getenv(roundsVariable), &rounds); err != nil {
		t.Logf("%d rounds; %s sets another number", rounds, roundsVariable)
	}
	for i := range rounds {
		out := &console{}
		start := time.Now()
		vm := b.boot(root, guest.Start{Boot: i + 1, Hostname: "web"}, out)
		got := b.ask(out)
		took = append(took, time.Since(start))
		boots[got.BootID] = true
		if got.Kernel != b.machine.Kernel.Version || got.Hostname != "web" || got.UptimeS <= 0 {
			t.Errorf("answer is %+v", got)
		}
		banner := fmt.Sprintf("%s %s boot=%d\n", guest.Banner, uuid, i+1)
		if !strings.Contains(out.String(), banner) {
			t.Errorf("no %q on the console:\n%s", banner, out)
		}
		usage, err := vm.Usage()
		if err != nil {
			t.Error(err)
		}
		if err := vm.Shutdown(context.Background(), time.Minute); err != nil {
			t.Error(err)
		}
		t.Logf("answered after %v, RSS %d MiB, processor time %v",
			took[i].Round(10*time.Millisecond), usage.RSSBytes>>20, usage.CPU)
		if end := vm.End(); !end.Requested || end.Reason != "guest-shutdown" || end.Err != nil {
			t.Errorf("guest ended with %+v; console:\n%s", end, out)
		}
	}
	if len(boots) != rounds {
		t.Errorf("%d boots have %d boot ids", rounds, len(boots))
	}
	slices.Sort(took)
	t.Logf("median %v", took[len(took)/2].Round(10*time.Millisecond))
}

// pullDemo pushes the bundled application to a registry and pulls it by digest.
func pullDemo(t *testing.T, cache lab.Cache) guest.Image {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(discardLog())))
	t.Cleanup(server.Close)
	made, err := guest.DemoImage(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	reference, err := name.NewDigest(host+"/demo@"+digest.String(), name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	// A transport of its own, so that no idle connection outlives the test.
	transport := &http.Transport{DisableKeepAlives: true}
	if err := remote.Write(reference, made, remote.WithTransport(transport)); err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(reference, remote.WithTransport(transport))
	if err != nil {
		t.Fatal(err)
	}
	image, err := guest.FromV1(pulled)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// TestLAB12_APP43_ContainerFromDigest takes an image from a registry by its digest to a running
// entrypoint, with a root disk, a volume that was blank, a user and a software TPM, and then
// purges it: the root is made anew, the volume stays.
//
// LAB-12's five seconds are taken of processor time, beside the clock: on a machine where other
// tests run, the clock tells about those.
func TestLAB12_APP43_ContainerFromDigest(t *testing.T) {
	b := newBench(t)
	volume := filepath.Join(t.TempDir(), "volume")
	if err := os.WriteFile(volume, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(volume, 32<<20); err != nil {
		t.Fatal(err)
	}
	sockets, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sockets.Close() }()
	vtpm, err := swtpm.Serve(t.Context(), swtpm.Options{Dir: t.TempDir(), SocketDir: sockets.Path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = vtpm.Close() }()
	start := guest.Start{Boot: 1, Env: []string{"COLOUR=user", "DEMO_PORT=8080"},
		Disks: []guest.DataDisk{{Disk: qemu.Disk{Path: volume, Serial: "vol-1"}, Dir: "/data"}}}
	began := time.Now()
	image := pullDemo(t, b.machine.Cache)
	image.Config.Cmd = []string{"one", "two words"}
	image.Config.Env = append(image.Config.Env, "COLOUR=image", "SHAPE=image")
	opts := guest.RootOptions{InitramfsMax: -1, WritableMiB: 64}
	root := b.root(image, opts)
	formatted(t, volume, true)
	out := &console{}
	start.TPM = true
	vm := b.boot(root, start, out, func(o *qemu.Options) {
		o.Spec.TPM = qemu.Socket{Path: vtpm.Control()}
	})
	b.await("entrypoint", out.seen(guest.Banner), out)
	clock := time.Since(began)
	usage, err := vm.Usage()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("digest to entrypoint: %v on the clock, guest's processor time %v",
		clock.Round(10*time.Millisecond), usage.CPU)
	if usage.CPU > 5*time.Second {
		t.Errorf("the guest needed %v of processor time to its entrypoint", usage.CPU)
	}
	got := b.ask(out)
	if want := []string{"/usr/bin/evetwin-demo", "one", "two words"}; !slices.Equal(got.Args, want) {
		t.Errorf("ran %q, want %q", got.Args, want)
	}
	if got.Env["COLOUR"] != "user" || got.Env["SHAPE"] != "image" || got.UID != 0 {
		t.Errorf("ran as %d in %v", got.UID, got.Env)
	}
	if tpm := b.file(http.MethodGet, "sys/class/tpm/tpm0/tpm_version_major", ""); tpm != "2\n" {
		t.Errorf("the guest's TPM is of version %q", tpm)
	}
	b.file(http.MethodPut, "data/mark", "on the volume")
	b.file(http.MethodPut, "etc/mark", "on the root")
	if err := vm.Shutdown(context.Background(), time.Minute); err != nil {
		t.Error(err)
	}
	formatted(t, volume, false)
	start.TPM = false

	// The next boot keeps the root; a purge makes it anew. The volume is kept by both.
	for boot, want := range []string{"on the root", "open /etc/mark: no such file or directory\n"} {
		if boot == 1 {
			image.Config.User, image.Config.WorkingDir = "1000:1001", "/data"
			opts.Dir = root.Dir
			root = b.root(image, opts)
		}
		out = &console{}
		vm = b.boot(root, start, out)
		if got := b.ask(out); boot == 1 && (got.UID != 1000 || got.Dir != "/data") {
			t.Errorf("after the purge it runs as %d in %s", got.UID, got.Dir)
		}
		if got := b.file(http.MethodGet, "etc/mark", ""); got != want {
			t.Errorf("boot %d finds %q on the root, want %q", boot+2, got, want)
		}
		if got := b.file(http.MethodGet, "data/mark", ""); got != "on the volume" {
			t.Errorf("boot %d finds %q on the volume", boot+2, got)
		}
		if err := vm.Shutdown(context.Background(), time.Minute); err != nil {
			t.Error(err)
		}
	}
}

func formatted(t *testing.T, disk string, want bool) {
	t.Helper()
	if did, err := guest.FormatBlank(t.Context(), disk); err != nil || did != want {
		t.Errorf("volume was formatted: %v, %v, want %v", did, err, want)
	}
}

// file reads or writes a file in the guest by way of the demo application.
func (b *bench) file(method, path, content string) string {
	b.t.Helper()
	client := http.Client{Timeout: 30 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(b.t.Context(), method,
		"http://"+b.forward.Local().String()+"/file/"+path, strings.NewReader(content))
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || method == http.MethodPut && answer.StatusCode != http.StatusNoContent {
		b.t.Errorf("%s %s: %s %q, %v", method, path, answer.Status, text, err)
	}
	return string(text)
}

// TestLAB4_APP48_ConsoleLosesNothing lets a guest write as fast as it can from its first moment,
// into a writer that stops taking anything for a while, and counts. The guest then ends by itself,
// which, unlike the end we ask for, nobody requested.
func TestLAB4_APP48_ConsoleLosesNothing(t *testing.T) {
	const lines = 5000
	b := newBench(t)
	out := &console{}
	stuck, release := make(chan struct{}), make(chan struct{})
	sticks := sync.OnceFunc(func() { close(stuck); <-release })
	sticking := writerFunc(func(p []byte) (int, error) {
		if out.Len() > 10_000 {
			sticks()
		}
		return out.Write(p)
	})
	vm := b.boot(b.root(b.demo(), guest.RootOptions{}),
		guest.Start{Boot: 1, Env: []string{fmt.Sprint("DEMO_LINES=", lines)}}, out,
		func(o *qemu.Options) { o.Console = sticking })
	b.await("full console", stuck, out)
	for range 200 { // the monitor answers meanwhile, and the guest fills every buffer
		if state, err := vm.State(t.Context()); state != qemu.Running || err != nil {
			t.Fatalf("a guest whose console is full is %s, %v", state, err)
		}
	}
	close(release)
	b.ask(out)
	b.exit(7)
	b.await("end", vm.Done(), out)
	var want strings.Builder
	for i := range lines {
		fmt.Fprintf(&want, "line %d the quick brown fox jumps over the lazy dog\n", i)
	}
	_, after, _ := strings.Cut(out.String(), "boot=1\n")
	if !strings.HasPrefix(after, want.String()) {
		t.Errorf("of %d bytes written, the console has %d, not the same", want.Len(), len(after))
	}
	if want := guest.Exit + " " + uuid + " code=7\n"; strings.Count(after, want) != 1 {
		t.Errorf("no %q at the end, but %q", want, after[max(0, len(after)-200):])
	}
	if end := vm.End(); end.Requested || end.Reason != "guest-shutdown" || end.Err != nil {
		t.Errorf("a guest that ended by itself ended with %+v", end)
	}
	if state, err := vm.State(t.Context()); state != qemu.Halted || err != nil {
		t.Errorf("its state is %s, %v", state, err)
	}
}

// exit makes the demo application end; the connection is cut by that.
func (b *bench) exit(code int) {
	b.t.Helper()
	client := http.Client{Timeout: 30 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true}}
	url := fmt.Sprintf("http://%s/exit?code=%d", b.forward.Local(), code)
	if answer, err := client.Post(url, "", nil); err == nil {
		_ = answer.Body.Close()
	}
}

// TestLAB5_LAB4_GuestThatDoesNotObey presses the power button of a guest without a driver for it.
// Its kernel talks, so that the console's very first byte can be checked too.
func TestLAB5_LAB4_GuestThatDoesNotObey(t *testing.T) {
	b := newBench(t)
	out := &console{}
	var events []string
	vm := b.boot(b.root(b.demo(), guest.RootOptions{}),
		guest.Start{Boot: 1, NoPowerButton: true}, out, func(o *qemu.Options) {
			o.Spec.Append = "console=ttyS0 panic=-1"
			o.OnEvent = func(e qemu.Event) { events = append(events, e.Name+string(e.Data)) }
		})
	b.ask(out)
	if !strings.HasPrefix(out.String(), "[    0.000000] Linux version ") {
		t.Errorf("the console does not begin at the beginning: %.80q", out.String())
	}
	if err := vm.Pause(t.Context()); err != nil {
		t.Error(err)
	}
	if state, err := vm.State(t.Context()); state != qemu.Paused || err != nil {
		t.Errorf("a paused guest is %s, %v", state, err)
	}
	if err := vm.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	if state, err := vm.State(t.Context()); state != qemu.Running || err != nil {
		t.Errorf("a resumed guest is %s, %v", state, err)
	}
	start := time.Now()
	if err := vm.Shutdown(context.Background(), time.Second); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < time.Second || took > 10*time.Second {
		t.Errorf("the guest was gone after %v, want a second and a little", took)
	}
	end := vm.End()
	if !end.Requested || end.Reason != "host-qmp-quit" {
		t.Errorf("guest ended with %+v", end)
	}
	all := strings.Join(events, " ")
	button := strings.Index(all, "POWERDOWN")
	down := strings.Index(all, `SHUTDOWN{"guest": false, "reason": "host-qmp-quit"}`)
	if button < 0 || down < button {
		t.Errorf("events are %s", all)
	}
}

// TestKilledGuest kills QEMU as a crash would.
func TestKilledGuest(t *testing.T) {
	b := newBench(t)
	out := &console{}
	vm := b.boot(b.root(b.demo(), guest.RootOptions{}), guest.Start{Boot: 1}, out)
	if err := unix.Kill(vm.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.await("end", vm.Done(), out)
	end := vm.End()
	if end.Requested || end.Err == nil || !strings.Contains(end.Err.Error(), "killed") {
		t.Errorf("guest ended with %+v", end)
	}
	if err := vm.Shutdown(context.Background(), time.Minute); err != nil {
		t.Errorf("shutting down what is gone: %v", err)
	}
}

// TestLaunchTellsWhatQEMUSays gives QEMU something it refuses.
func TestLaunchTellsWhatQEMUSays(t *testing.T) {
	labtest.Program(t, qemu.DefaultProgram)
	_, err := qemu.Launch(t.Context(), qemu.Options{Spec: qemu.Spec{
		Name: "bad", MemoryMiB: 64, Kernel: "/nonexistent/vmlinux"}})
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/vmlinux") {
		t.Errorf("got %v", err)
	}
	if left := labtest.Offspring(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestLAB13_NothingIsLeft boots and ends a guest, and compares open files.
func TestLAB13_NothingIsLeft(t *testing.T) {
	before := openFiles(t)
	t.Run("guest", func(t *testing.T) {
		b := newBench(t)
		out := &console{}
		vm := b.boot(b.root(b.demo(), guest.RootOptions{}), guest.Start{Boot: 1}, out)
		if err := vm.Destroy(); err != nil {
			t.Error(err)
		}
	})
	if after := openFiles(t); !bytes.Equal(before, after) {
		t.Errorf("open files were\n%sand are\n%s", before, after)
	}
}

// openFiles lists the sockets, pipes and files this process has open.
func openFiles(t *testing.T) []byte {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var list bytes.Buffer
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && !strings.HasSuffix(target, "/fd") {
			fmt.Fprintln(&list, entry.Name(), target)
		}
	}
	return list.Bytes()
}
