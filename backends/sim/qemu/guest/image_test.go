package guest_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
)

func TestCommandAndEnvironment(t *testing.T) {
	image := guest.Image{Config: v1.Config{
		Entrypoint: []string{"/entry", "-x"}, Cmd: []string{"arg one"},
		Env: []string{"A=image", "B=image", "PATH=/image"},
	}}
	env := image.Environment([]string{"C=user", "A=user", "broken", "=none"})
	if want := []string{"A=user", "B=image", "PATH=/image", "C=user"}; !slices.Equal(env, want) {
		t.Errorf("environment is %v, want %v", env, want)
	}
	args, err := image.Command(env)
	if want := []string{"/entry", "-x", "arg one"}; err != nil || !slices.Equal(args, want) {
		t.Errorf("command is %q, %v", args, err)
	}
	env = image.Environment([]string{`EVE_ECO_CMD=sh -c 'a "b" c' "d e" f\ g ""`})
	args, err = image.Command(env)
	want := []string{"sh", "-c", `a "b" c`, "d e", "f g", ""}
	if err != nil || !slices.Equal(args, want) {
		t.Errorf("replaced command is %q, %v, want %q", args, err, want)
	}
	for _, bad := range []string{`'open`, `end\`, `  `} {
		if args, err := image.Command([]string{"EVE_ECO_CMD=" + bad}); err == nil {
			t.Errorf("%q is taken as %q", bad, args)
		}
	}
	if _, err := (guest.Image{}).Command(nil); err == nil {
		t.Error("an image without a command has one")
	}
}

func TestUsers(t *testing.T) {
	tree := treeOf(t, layer(t, "etc/passwd=root:x:0:0::/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n",
		"etc/group=web:x:44:\nextra:x:50:other,web\nmore:x:51:web\n"))
	for user, want := range map[string]string{
		"":        "0 0 [] /root",
		"web":     "33 44 [50 51] /srv",
		"33":      "33 44 [50 51] /srv",
		"web:50":  "33 50 [] /srv",
		":extra":  "0 50 [] /root",
		"1000":    "1000 0 [] /",
		"9:9":     "9 9 [] /",
		"nobody":  `image has no user "nobody"`,
		"web:xxx": `image has no group "xxx"`,
	} {
		if got := tree.Who(user); got != want {
			t.Errorf("user %q is %s, want %s", user, got, want)
		}
	}
}

// layersImage is an image of layers in memory.
func layersImage(config v1.Config, layers ...[]byte) guest.Image {
	image := guest.Image{Config: config}
	for _, one := range layers {
		image.Layers = append(image.Layers, func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(string(one))), nil
		})
	}
	return image
}

// TestPrepareAppearsWhole lets preparations fail in several ways and looks for a root after each.
func TestPrepareAppearsWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "volume")
	good := layer(t, "bin/app=x")
	broken := errors.New("blob is gone")
	gone := guest.Image{Layers: []func() (io.ReadCloser, error){
		func() (io.ReadCloser, error) { return nil, broken }}}
	for name, image := range map[string]guest.Image{
		"blob is gone": gone,
		"no user":      layersImage(v1.Config{User: "nobody"}, good),
		"bad layer":    layersImage(v1.Config{}, good, []byte("not a tar archive at all")),
	} {
		_, err := guest.Prepare(t.Context(), image, guest.RootOptions{Dir: dir})
		if err == nil {
			t.Errorf("%s: prepared", name)
		}
		if _, err := guest.Open(dir); err == nil {
			t.Errorf("%s: there is a root", name)
		}
	}
	made, err := guest.Prepare(t.Context(), layersImage(v1.Config{Cmd: []string{"app"}}, good),
		guest.RootOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	found, err := guest.Open(dir)
	if err != nil || found.SizeBytes != 1 || made.SizeBytes != 1 || found.Config.Cmd[0] != "app" {
		t.Errorf("made %+v, found %+v, %v", made, found, err)
	}
}

func TestFormatBlankOnce(t *testing.T) {
	labtest.Program(t, "mke2fs")
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, 16<<20); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		did, err := guest.FormatBlank(context.Background(), disk)
		if err != nil || did != want {
			t.Errorf("formatted: %v, %v, want %v", did, err, want)
		}
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	if err := os.WriteFile(foreign, append(make([]byte, 4096), 'x'), 0o600); err != nil {
		t.Fatal(err)
	}
	if did, err := guest.FormatBlank(context.Background(), foreign); did || err != nil {
		t.Errorf("a disk with something on it was formatted: %v, %v", did, err)
	}
}

// TestProgramsAreBuiltOnce uses the real cache: programs must be there for other tests anyway.
func TestProgramsAreBuiltOnce(t *testing.T) {
	labtest.Program(t, "go")
	cache, path := labtest.Cache(), os.Getenv("PATH")
	for name, limit := range map[string]int64{"guestinit": 3 << 20, "demo": 8 << 20} {
		first, err := guest.BuildProgram(t.Context(), cache, name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(first)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > limit {
			t.Errorf("%s has %d bytes, more than %d", name, info.Size(), limit)
		}
		t.Logf("%s: %.1f MB", name, float64(info.Size())/1e6)
		t.Setenv("PATH", t.TempDir()) // no Go toolchain needed the second time
		if again, err := guest.BuildProgram(t.Context(), cache, name); err != nil || again != first {
			t.Errorf("second time: %s, %v", again, err)
		}
		t.Setenv("PATH", path)
	}
	_, err := guest.BuildProgram(t.Context(), lab.Cache{Dir: t.TempDir()}, "nothing")
	if err == nil {
		t.Error("a program that does not exist was built")
	}
}

func TestDemoImageIsSmallAndStable(t *testing.T) {
	labtest.Program(t, "go")
	one, err := guest.DemoImage(t.Context(), labtest.Cache())
	if err != nil {
		t.Fatal(err)
	}
	two, err := guest.DemoImage(t.Context(), labtest.Cache())
	if err != nil {
		t.Fatal(err)
	}
	first, err := one.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := two.Digest(); err != nil || first != second {
		t.Errorf("digests are %v and %v, %v", first, second, err)
	}
	layers, err := one.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, layer := range layers {
		n, err := layer.Size()
		if err != nil {
			t.Fatal(err)
		}
		size += n
	}
	if size > 8<<20 {
		t.Errorf("image has %d bytes", size)
	}
	t.Logf("image %v, %.1f MB packed", first, float64(size)/1e6)
}
