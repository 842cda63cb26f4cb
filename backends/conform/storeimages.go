package conform

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "embed" // the disk below
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
)

// packedDisk is an empty disk of 1 MiB in the format qcow2, packed.
//
//go:embed testdata/disk.qcow2.gz
var packedDisk []byte

// qcow2Size is its virtual size.
const qcow2Size = 1 << 20

// unpacked is the disk; with a name it refers to a file that it builds on.
func unpackedDisk(t *testing.T, backing string) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packedDisk))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if backing != "" {
		const at = 1 << 10 // behind the header, in its cluster
		binary.BigEndian.PutUint64(data[8:], at)
		binary.BigEndian.PutUint32(data[16:], uint32(copy(data[at:], backing)))
	}
	return data
}

// loads makes a blob of bytes.
func (x *storeBench) loads(t *testing.T, data []byte) string {
	t.Helper()
	x.downloads(t, data, true)
	x.verifies(t, data)
	return sum(data)
}

// drops removes blobs, and wants nothing to be left.
func (x *storeBench) drops(t *testing.T, blobs []string) {
	t.Helper()
	for _, sha := range blobs {
		x.drop.does(t, store.BlobReq{Sha256: sha}, nil)
	}
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// formats makes a blank volume of each format, all with the size that was asked for.
func (x *storeBench) formats(t *testing.T) {
	for _, format := range store.Formats() {
		q := store.CreateVolumeReq{VolumeKey: volumeName, Format: format, Size: 8 << 20}
		if format != store.Container {
			x.creates(t, q, q.Size)
		}
	}
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// wrongNames asks for volumes that cannot be.
func (x *storeBench) wrongNames(t *testing.T) {
	for _, key := range []string{"", ".", "..", "../" + volumeName, "a/b", ".hidden", "a\x00b"} {
		q := store.CreateVolumeReq{VolumeKey: key, Format: "raw", Size: 1}
		x.create.refuses(t, q, store.FaultRefused, false)
		x.delete.does(t, store.VolumeReq{VolumeKey: key}, nil)
	}
	q := store.CreateVolumeReq{VolumeKey: volumeName, Size: 1}
	for _, q.Format = range []string{"", "unknown", "RAW", "../raw"} {
		x.create.refuses(t, q, store.FaultFormat, false)
	}
	q.Format = "raw"
	for _, q.Size = range []int64{-1, store.MaxVolume + 1} {
		x.create.refuses(t, q, store.FaultRefused, false)
	}
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// qcow2 makes volumes of an image that is what it is said to be, and of some that are not.
func (x *storeBench) qcow2(t *testing.T) {
	good, text := x.loads(t, unpackedDisk(t, "")), x.loads(t, content())
	bad := x.loads(t, unpackedDisk(t, "/etc/passwd"))
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "qcow2"}
	for _, blob := range []string{text, bad} {
		q.Blobs = []string{blob}
		x.create.refuses(t, q, store.FaultFormat, false)
	}
	q.Blobs = []string{good, text}
	x.create.refuses(t, q, store.FaultRefused, false)
	q.Blobs = []string{good}
	for _, size := range []int64{0, 1000, qcow2Size, 3 * qcow2Size} {
		q.Size = size
		x.creates(t, q, max(size, qcow2Size))
	}
	q.Format, q.Size = "iso", 1<<30 // it never grows
	x.creates(t, q, int64(len(unpackedDisk(t, ""))))
	x.drops(t, []string{good, text, bad})
}

// layer is a layer of an image with files, by name and content.
func layer(t *testing.T, files ...[2]string) v1.Layer {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		err := w.WriteHeader(&tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1])),
			Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(out.Bytes())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// imageFiles are the files of the image, and hiddenFile is one that its second layer hides.
var imageFiles = [...][2]string{{"etc/one", "1"}, {"bin/three", "3"}}

const hiddenFile = "etc/two"

// image loads an image of two layers, and returns its blobs: manifest, configuration, layers; and
// what they hold.
func (x *storeBench) image(t *testing.T) (blobs []string, holds [][]byte) {
	t.Helper()
	layers := []v1.Layer{layer(t, imageFiles[0], [2]string{hiddenFile, "2"}),
		layer(t, [2]string{"etc/.wh.two", ""}, imageFiles[1])}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	holds = append(holds, manifest, config)
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		holds = append(holds, data)
	}
	for _, data := range holds {
		blobs = append(blobs, x.loads(t, data))
	}
	return blobs, holds
}

// container makes a volume of an image.
func (x *storeBench) container(t *testing.T) {
	blobs, _ := x.image(t)
	x.creates(t, store.CreateVolumeReq{VolumeKey: volumeName, Format: store.Container, Size: 1 << 20,
		Blobs: blobs}, 0)
	x.drops(t, blobs)
}

// wrongContainers asks for containers of what is no image.
func (x *storeBench) wrongContainers(t *testing.T) {
	blobs, _ := x.image(t)
	text := x.loads(t, content())
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: store.Container}
	x.create.refuses(t, q, store.FaultRefused, false)
	for _, q.Blobs = range [][]string{blobs[:1], blobs[:2], blobs[:3], {blobs[0], text, blobs[2],
		blobs[3]}, append(blobs[:4:4], text)} {
		x.create.refuses(t, q, store.FaultFormat, false)
	}
	q.Blobs = []string{blobs[0], blobs[1], blobs[2], sum([]byte("nowhere"))}
	x.create.refuses(t, q, store.FaultMissing, true)
	x.drops(t, append(blobs, text))
}

// rottenContainer has a layer rot; loaded anew it does.
func (x *storeBench) rottenContainer(t *testing.T) {
	blobs, holds := x.image(t)
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: store.Container, Blobs: blobs}
	x.outside(t, func() { x.Intruder.Rot(blobs[3]) })
	x.create.refuses(t, q, store.FaultCorrupt, true)
	x.counts(t, len(ConfigFiles()), len(blobs), 0)
	x.drop.does(t, store.BlobReq{Sha256: blobs[3]}, nil)
	x.create.refuses(t, q, store.FaultMissing, true)
	x.loads(t, holds[3])
	x.creates(t, q, 0)
	x.drops(t, blobs)
}

// encrypted makes volumes in the vault.
func (x *storeBench) encrypted(t *testing.T) {
	data := content()
	blob := []string{x.loads(t, data)}
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Encrypted: true, Size: 1 << 20}
	x.creates(t, q, 1<<20)
	q.Blobs = blob
	x.creates(t, q, 1<<20)
	q.Encrypted = false
	x.create.does(t, q, func() { x.volumeIs(t, q, 1<<20) })
	again := q
	again.Encrypted = true // one that exists is what it is
	x.create.does(t, again, func() { x.volumeIs(t, q, 1<<20) })
	x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	x.drops(t, blob)
}

// manyVolumes makes volumes side by side, and removes them likewise.
func (x *storeBench) manyVolumes(t *testing.T) {
	const n = 30
	blob := x.loads(t, content())
	name := func(i int) string { return fmt.Sprintf("d507b2a1-2226-47cc-ac88-dee46077da%02d#0", i) }
	all(t, x.bench, x.create, n, func(i int) (string, store.CreateVolumeReq) {
		return name(i), store.CreateVolumeReq{VolumeKey: name(i), Format: "raw", Blobs: []string{blob}}
	})
	x.counts(t, len(ConfigFiles()), 1, n)
	all(t, x.bench, x.delete, n, func(i int) (string, store.VolumeReq) {
		return name(i), store.VolumeReq{VolumeKey: name(i)}
	})
	x.drops(t, []string{blob})
}

// all makes n calls at once, and wants all to succeed.
func all[Req, Res any](t *testing.T, b *bench, c *calls[Req, Res], n int,
	call func(i int) (string, Req),
) {
	t.Helper()
	done, left := make(chan struct{}), n
	b.ask(func() {
		for i := range n {
			key, req := call(i)
			c.use.Want(key, req)
			c.wait[key] = func(x agent.Call[Res]) {
				if x.Phase != agent.Done {
					t.Errorf("%s of %s: %+v", c.op.Name, key, *x.Fault)
				}
				if left--; left == 0 {
					close(done)
				}
			}
		}
	})
	await(t, "the outcomes of "+c.op.Name, done)
}
