package guest

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// DemoPort is the TCP port on which the bundled application answers HTTP.
const DemoPort = 8080

// DemoImage returns the bundled application as a container image: an HTTP server whose GET /
// tells the guest kernel's boot id, uptime and more as JSON. It is below 8 MB, and the same for
// the same sources and Go version.
func DemoImage(ctx context.Context, cache lab.Cache) (v1.Image, error) {
	program, err := buildProgram(ctx, cache, demoProgram)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("make demo image: %w", err)
	}
	layer, err := singleFileLayer("usr/bin/evetwin-demo", content)
	if err != nil {
		return nil, fmt.Errorf("make demo image: %w", err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("make demo image: %w", err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("make demo image: %w", err)
	}
	file = file.DeepCopy()
	// An image that names no platform is refused by some clients.
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Entrypoint:   []string{"/usr/bin/evetwin-demo"},
		Env:          []string{defaultPath, "DEMO_PORT=" + strconv.Itoa(DemoPort)},
		WorkingDir:   "/",
		ExposedPorts: map[string]struct{}{strconv.Itoa(DemoPort) + "/tcp": {}},
	}
	made, err := mutate.ConfigFile(image, file)
	if err != nil {
		return nil, fmt.Errorf("make demo image: %w", err)
	}
	return made, nil
}

// singleFileLayer returns a layer with one program and the folders above it.
func singleFileLayer(name string, content []byte) (v1.Layer, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for i, r := range name {
		if r != '/' {
			continue
		}
		if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name[:i+1],
			Mode: 0o755, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
	}
	if err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755,
		Size: int64(len(content)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}); err != nil {
		return nil, err
	}
	if _, err := writer.Write(content); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	})
}
