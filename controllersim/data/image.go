package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is an image as a registry holds it: a manifest and what it names.
type Image struct {
	// Manifest is the manifest's or index's JSON.
	Manifest []byte
	// MediaType is that of the manifest.
	MediaType string
	// Blobs are the configuration and the layers.
	Blobs [][]byte
	// Children are the images of an index.
	Children []Image
}

func (i Image) size() int64 {
	n := int64(len(i.Manifest))
	for _, b := range i.Blobs {
		n += int64(len(b))
	}
	for _, c := range i.Children {
		n += c.size()
	}
	return n
}

// ImageSpec describes an image of one layer. Equal specs build equal bytes.
type ImageSpec struct {
	// Arch is the architecture in Go's and OCI's words: amd64, arm64.
	Arch string
	// Files are the layer's content, in order; folders are added by themselves.
	Files []File
	// Entrypoint, Cmd, Env and WorkDir are as in a Dockerfile.
	Entrypoint, Cmd, Env []string
	WorkDir              string
	// Ports are exposed ports: "80/tcp".
	Ports []string
	// Labels are the image's labels.
	Labels map[string]string
}

// File is one file of a layer.
type File struct {
	// Path is without a leading slash.
	Path string
	// Mode are the permission bits, 0 for 0644.
	Mode int64
	// Body is the content.
	Body []byte
	// Link makes it a symbolic link to this path.
	Link string
}

// Build makes the image.
func (s ImageSpec) Build() (Image, error) {
	l, err := s.packed(gzip.BestSpeed)
	if err != nil {
		return Image{}, err
	}
	return s.on(l)
}

// packedLayer is a layer as a registry holds it.
type packedLayer struct {
	bytes          []byte
	diffID, digest v1.Hash
}

// packed makes the layer, which is the same for every architecture.
func (s ImageSpec) packed(level int) (packedLayer, error) {
	layer, err := s.layer()
	if err != nil {
		return packedLayer{}, err
	}
	b, err := pack(layer, level)
	if err != nil {
		return packedLayer{}, err
	}
	return packedLayer{b, hashOf(layer), hashOf(b)}, nil
}

// on makes the image of its layer.
func (s ImageSpec) on(l packedLayer) (Image, error) {
	cfg := v1.ConfigFile{
		Architecture: s.Arch, OS: "linux",
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{l.diffID}},
		Config: v1.Config{
			Entrypoint: s.Entrypoint, Cmd: s.Cmd, Env: s.Env, WorkingDir: s.WorkDir, Labels: s.Labels,
		},
	}
	for _, p := range s.Ports {
		if cfg.Config.ExposedPorts == nil {
			cfg.Config.ExposedPorts = map[string]struct{}{}
		}
		cfg.Config.ExposedPorts[p] = struct{}{}
	}
	cfgJSON, err := json.Marshal(cfg)
	if err != nil {
		return Image{}, fmt.Errorf("serialize image configuration: %w", err)
	}
	manifest, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: v1.Descriptor{
			MediaType: types.OCIConfigJSON, Size: int64(len(cfgJSON)), Digest: hashOf(cfgJSON),
		},
		Layers: []v1.Descriptor{
			{MediaType: types.OCILayer, Size: int64(len(l.bytes)), Digest: l.digest},
		},
	})
	if err != nil {
		return Image{}, fmt.Errorf("serialize image manifest: %w", err)
	}
	return Image{
		Manifest: manifest, MediaType: string(types.OCIManifestSchema1),
		Blobs: [][]byte{cfgJSON, l.bytes},
	}, nil
}

// Index joins images of several architectures, given as in ImageSpec.Arch, to one.
func Index(archs []string, images []Image) (Image, error) {
	if len(archs) != len(images) {
		return Image{}, fmt.Errorf("index of %d images for %d architectures", len(images), len(archs))
	}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for i, img := range images {
		index.Manifests = append(index.Manifests, v1.Descriptor{
			MediaType: types.MediaType(img.MediaType), Size: int64(len(img.Manifest)),
			Digest: hashOf(img.Manifest), Platform: &v1.Platform{OS: "linux", Architecture: archs[i]},
		})
	}
	text, err := json.Marshal(index)
	if err != nil {
		return Image{}, fmt.Errorf("serialize image index: %w", err)
	}
	return Image{Manifest: text, MediaType: string(types.OCIImageIndex), Children: images}, nil
}

func hashOf(b []byte) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: newBlob(b).sha} }

// layer is the tar file of the spec's files.
func (s ImageSpec) layer() ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	dirs := map[string]bool{}
	for _, f := range s.Files {
		for i, c := range f.Path {
			if c != '/' || dirs[f.Path[:i]] {
				continue
			}
			dirs[f.Path[:i]] = true
			h := &tar.Header{
				Typeflag: tar.TypeDir, Name: f.Path[:i] + "/", Mode: 0o755, ModTime: time.Unix(0, 0),
			}
			if err := w.WriteHeader(h); err != nil {
				return nil, fmt.Errorf("write folder %s of layer: %w", f.Path[:i], err)
			}
		}
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.Path, Mode: f.Mode, Size: int64(len(f.Body)),
			ModTime: time.Unix(0, 0),
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if f.Link != "" {
			h.Typeflag, h.Linkname, h.Size, f.Body = tar.TypeSymlink, f.Link, 0, nil
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("write file %s of layer: %w", f.Path, err)
		}
		if _, err := w.Write(f.Body); err != nil {
			return nil, fmt.Errorf("write file %s of layer: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write layer: %w", err)
	}
	return buf.Bytes(), nil
}

func pack(layer []byte, level int) ([]byte, error) {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, level)
	if err != nil {
		return nil, fmt.Errorf("compress layer: %w", err)
	}
	if _, err := w.Write(layer); err != nil {
		return nil, fmt.Errorf("compress layer: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress layer: %w", err)
	}
	return buf.Bytes(), nil
}
