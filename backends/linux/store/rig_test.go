package store

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/linux/store/zfs/zfstest"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

func TestMain(m *testing.M) {
	zfstest.Main()
	if dir := os.Getenv(writerVariable); dir != "" {
		writeForEver(dir)
	}
	goleak.VerifyTestMain(m)
}

// rig is a device that has the part alone. Tests do the work of its ops themselves.
type rig struct {
	*session
	dev *live.Device
}

// hardware is a part as the hardware of a device.
type hardware struct{ *Store }

// Wire makes the hardware of a boot.
func (h hardware) Wire(k *host.Kernel, _ host.Machine) { h.Store.Wire(k) }

// Cut does nothing: tests cut the power of the disk.
func (hardware) Cut(func(string) uint64) {}

// start boots a device and returns it when its part has looked at the disk, with what stops it.
func start(o Options) (*rig, func() error, error) {
	s := New(o)
	d, err := live.New(live.Options{Name: "store", Seed: 1, Hardware: hardware{s}})
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	r := &rig{dev: d}
	ready := make(chan struct{})
	err = d.Do(ctx, func(*host.Kernel) {
		r.session = s.now
		r.when(func() bool { return true }, func() { close(ready) })
	})
	end := func() error {
		stop()
		err := <-ended
		s.Halt()
		return err
	}
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	<-ready
	r.work.Wait() // until the boot has looked at everything
	return r, end, nil
}

// up boots a device for a test.
func up(t *testing.T, o Options) *rig {
	t.Helper()
	r, end, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// rows are the rows of a table, by key, and whether it is complete, behind all that was posted.
func rows[V bus.Row](t *testing.T, r *rig, p *bus.Pub[V]) (out map[string]V, complete bool) {
	t.Helper()
	out = map[string]V{}
	err := r.dev.Do(t.Context(), func(*host.Kernel) {
		for key, row := range p.All() {
			out[key] = *row
		}
		complete = p.IsComplete()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, complete
}

// downloads leaves a whole download.
func (r *rig) downloads(target string, data []byte) error {
	w, err := r.o.Downloads.Resume(target)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.Finish()
	}
	return errors.Join(err, w.Close())
}

// loads makes a blob, and returns its hash.
func (r *rig) loads(data []byte) (string, error) {
	if err := r.downloads("d", data); err != nil {
		return "", err
	}
	_, f := r.verify(context.Background(), &device.VerifyReq{Target: "d", Sha256: sum(data)})
	return sum(data), failure(f)
}

// failure is a fault as an error.
func failure(f *agent.Fault) error {
	if f == nil {
		return nil
	}
	return fmt.Errorf("%s: %s", f.Code, f.Text)
}

// creates makes a volume.
func (r *rig) creates(q device.CreateVolumeReq) error {
	_, f := r.createVolume(context.Background(), &q)
	return failure(f)
}

// entry is an entry of an archive; one without a type is a file.
type entry struct {
	tar.Header
	text string
}

// pack makes an archive.
func pack(entries ...entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := e.Header
		h.Size, h.Format = int64(len(e.text)), tar.FormatPAX
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.ModTime = time.Unix(1e9, 0)
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// image makes blobs of an image whose layers are archives, not packed.
func (r *rig) image(layers ...[]byte) (blobs []string, err error) {
	m := v1.Manifest{SchemaVersion: 2}
	c := v1.ConfigFile{Architecture: "amd64", OS: "linux", RootFS: v1.RootFS{Type: "layers"}}
	for _, l := range layers {
		sha, err := r.loads(l)
		if err != nil {
			return nil, err
		}
		h := v1.Hash{Algorithm: "sha256", Hex: sha}
		m.Layers = append(m.Layers, v1.Descriptor{Digest: h, Size: int64(len(l))})
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, h)
		blobs = append(blobs, sha)
	}
	for _, doc := range []any{&c, &m} {
		text, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		sha, err := r.loads(text)
		if err != nil {
			return nil, err
		}
		m.Config.Digest = v1.Hash{Algorithm: "sha256", Hex: sha}
		blobs = append([]string{sha}, blobs...)
	}
	return blobs, nil
}

// leftovers are unfinished things below a folder.
func leftovers(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), ".new-") || strings.HasPrefix(e.Name(), unfinished) {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// must wants no errors.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
