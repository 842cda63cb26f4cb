package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// Served is an image as a registry serves it.
type Served struct {
	// MediaType is the manifest's.
	MediaType string
	// Manifest is the manifest's bytes, whose hash is the image's name.
	Manifest []byte
	// Blobs are the configuration and the layers, in the order of the manifest.
	Blobs [][]byte
}

// Files of a served image in its cache entry; blobs are numbered.
const (
	manifestName = "image.json"
	blobName     = "blob-"
)

// DemoServed returns the bundled application as a registry serves it, from the cache: packing it
// takes a fifth of a second.
func DemoServed(ctx context.Context, cache lab.Cache) (Served, error) {
	sum, err := sourceSum(demoProgram)
	if err != nil {
		return Served{}, err
	}
	dir, err := cache.Entry(ctx, "image-"+demoProgram+"-"+sum,
		func(ctx context.Context, dir string) error {
			image, err := DemoImage(ctx, cache)
			if err != nil {
				return err
			}
			return writeServed(dir, image)
		})
	if err != nil {
		return Served{}, err
	}
	return readServed(dir)
}

func writeServed(dir string, image v1.Image) error {
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	blobs := [][]byte{config}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		r, err := layer.Compressed()
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil {
			return err
		}
		blobs = append(blobs, b)
	}
	for i, b := range blobs {
		if err := os.WriteFile(filepath.Join(dir, blobName+strconv.Itoa(i)), b, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, manifestName), manifest, 0o644)
}

func readServed(dir string) (Served, error) {
	manifest, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return Served{}, fmt.Errorf("read image from the cache: %w", err)
	}
	var m v1.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return Served{}, fmt.Errorf("read image from the cache: %w", err)
	}
	out := Served{MediaType: string(m.MediaType), Manifest: manifest}
	for i := range len(m.Layers) + 1 {
		b, err := os.ReadFile(filepath.Join(dir, blobName+strconv.Itoa(i)))
		if err != nil {
			return Served{}, fmt.Errorf("read image from the cache: %w", err)
		}
		out.Blobs = append(out.Blobs, b)
	}
	return out, nil
}
