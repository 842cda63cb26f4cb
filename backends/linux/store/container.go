package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
)

// Names in the folder of a container.
const (
	rootName   = "rootfs"
	configName = "image-config.json"
)

// unpack makes the folder of a container from the blobs of its image, durably. Nothing is unpacked
// before all layers were found to be what the image says.
func (x *session) unpack(ctx context.Context, blobs []string, to string) error {
	o := &ociImage{ctx: ctx, store: x.Store, blobs: blobs}
	defer o.close()
	img, err := o.open()
	if err != nil {
		return err
	}
	if err := o.check(img); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(to, rootName), 0o755); err != nil {
		return err
	}
	archive := mutate.Extract(img)
	err = x.o.Disk.Do(durable.Write, to, func() error {
		return unpackTar(ctx, archive, filepath.Join(to, rootName))
	})
	err = errors.Join(err, archive.Close())
	if err == nil {
		err = x.o.Disk.Write(filepath.Join(to, configName), o.config, 0o600)
	}
	if err != nil {
		return err
	}
	return x.o.Disk.Do(durable.Sync, to, func() error { return syncAll(to) })
}

// ociImage is an image whose parts are blobs: its manifest, its configuration, its layers.
type ociImage struct {
	ctx              context.Context
	store            *Store
	blobs            []string
	manifest, config []byte

	mu     sync.Mutex
	opened []*os.File
}

// close closes the blobs that were opened, whatever became of their readers.
func (o *ociImage) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.opened {
		_ = f.Close()
	}
}

// open reads what the image says of itself, and finds its layers among the blobs.
func (o *ociImage) open() (v1.Image, error) {
	if len(o.blobs) < 2 {
		return nil, fmt.Errorf("%w: an image has a manifest and a configuration", errFormat)
	}
	var err error
	if o.manifest, err = o.store.document(o.blobs[0]); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", o.blobs[0], err)
	}
	if o.config, err = o.store.document(o.blobs[1]); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", o.blobs[1], err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(o.manifest))
	if err != nil {
		return nil, fmt.Errorf("%w: manifest %s: %w", errFormat, o.blobs[0], err)
	}
	c, err := v1.ParseConfigFile(bytes.NewReader(o.config))
	if err != nil {
		return nil, fmt.Errorf("%w: configuration %s: %w", errFormat, o.blobs[1], err)
	}
	layers := o.blobs[2:]
	if len(m.Layers) != len(layers) || len(c.RootFS.DiffIDs) != len(layers) ||
		m.Config.Digest.Hex != o.blobs[1] {
		return nil, fmt.Errorf("%w: the image has other parts than these", errFormat)
	}
	for i, l := range m.Layers {
		if l.Digest.Algorithm != "sha256" || l.Digest.Hex != layers[i] {
			return nil, fmt.Errorf("%w: the image has other layers than these", errFormat)
		}
	}
	return partial.CompressedToImage(o)
}

// check hashes all layers, as they are and unpacked.
func (o *ociImage) check(img v1.Image) error {
	c, err := img.ConfigFile()
	if err != nil {
		return err
	}
	left := int64(maxRoot)
	for i, sha := range o.blobs[2:] {
		size, err := o.checkLayer(sha, c.RootFS.DiffIDs[i].Hex, left)
		if err != nil {
			return fmt.Errorf("layer %s: %w", sha, err)
		}
		left -= size
	}
	return nil
}

// checkLayer hashes a layer, and returns how large it is unpacked.
func (o *ociImage) checkLayer(sha, unpacked string, left int64) (int64, error) {
	packed := sha256.New()
	in := &tee{h: packed}
	layer, err := partial.CompressedToLayer(&ociLayer{o: o, sha: sha, through: in})
	if err != nil {
		return 0, err
	}
	h, size := sha256.New(), int64(0)
	r, err := layer.Uncompressed()
	if err == nil {
		size, err = io.Copy(h, io.LimitReader(r, left+1))
		if err == nil && size <= left {
			_, err = io.Copy(io.Discard, in) // what follows the end of the archive
		}
		err = errors.Join(err, r.Close())
	}
	var disk *os.PathError
	switch {
	case o.ctx.Err() != nil:
		return 0, o.ctx.Err()
	case errors.As(err, &disk):
		return 0, err
	case err == nil && size > left:
		return 0, fmt.Errorf("%w: it unpacks to more than %d bytes", errFormat, int64(maxRoot))
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errCorrupt, err)
	case hex.EncodeToString(packed.Sum(nil)) != sha:
		return 0, errCorrupt
	case hex.EncodeToString(h.Sum(nil)) != unpacked:
		return 0, fmt.Errorf("%w when it is unpacked", errCorrupt)
	}
	return size, nil
}

// RawManifest is the manifest.
func (o *ociImage) RawManifest() ([]byte, error) { return o.manifest, nil }

// RawConfigFile is the configuration.
func (o *ociImage) RawConfigFile() ([]byte, error) { return o.config, nil }

// MediaType is the type of the manifest.
func (o *ociImage) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// LayerByDigest is a layer.
func (o *ociImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	return &ociLayer{o: o, sha: h.Hex}, nil
}

// ociLayer is a layer of an image.
type ociLayer struct {
	o       *ociImage
	sha     string
	through *tee // what is read passes it, if it is set
}

// Digest is the hash of the layer as it is.
func (l *ociLayer) Digest() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: l.sha}, nil
}

// Compressed opens the layer as it is.
func (l *ociLayer) Compressed() (io.ReadCloser, error) {
	f, err := os.Open(l.o.store.blobPath(l.sha))
	if err != nil {
		return nil, err
	}
	l.o.mu.Lock()
	l.o.opened = append(l.o.opened, f)
	l.o.mu.Unlock()
	out := blobReader{patient{l.o.ctx, f}, f}
	if l.through != nil {
		l.through.r = out.Reader
		out.Reader = l.through
	}
	return out, nil
}

// Size is how many bytes the layer has as it is.
func (l *ociLayer) Size() (int64, error) { return fileSize(l.o.store.blobPath(l.sha)) }

// MediaType is the type of the layer; how it is packed is seen by its bytes.
func (l *ociLayer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

var (
	_ partial.CompressedImageCore = (*ociImage)(nil)
	_ partial.CompressedLayer     = (*ociLayer)(nil)
)

// tee hashes what is read.
type tee struct {
	r io.Reader
	h io.Writer
}

// Read reads and hashes.
func (t *tee) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	_, _ = t.h.Write(b[:n]) // a hash takes all
	return n, err
}

// blobReader reads a blob.
type blobReader struct {
	io.Reader
	io.Closer
}
