package dryrun

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// written writes an input file.
func written(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// modelOf is a device model of an architecture, by its number.
func modelOf(t *testing.T, arch int) string {
	t.Helper()
	return written(t, "model.json", fmt.Sprintf(`{"arch": %d, "ioMemberList": [{"ztype": 1,
		"phylabel": "eth0", "usage": 1, "phyaddrs": {"Ifname": "eth0"}}]}`, arch))
}

// onePort is a configuration with a container image from the bundled registry.
func onePort(t *testing.T, image string) string {
	t.Helper()
	const content = "ce88f026-e73d-4b49-9163-d607e8ec7784"
	return written(t, "config.json", `{
		"networks": [{"id": "6605d17b-3273-4108-8e6e-4965441ebe01", "type": "V4",
			"ip": {"dhcp": "Client"}}],
		"systemAdapterList": [{"name": "eth0", "uplink": true,
			"networkUUID": "6605d17b-3273-4108-8e6e-4965441ebe01"}],
		"datastores": [{"id": "8e6d22d4-4890-4e0d-a574-0d2e757f951e",
			"dType": "DsContainerRegistry", "fqdn": "docker://`+twin.Registry+`"}],
		"contentInfo": [{"uuid": "`+content+`", "dsId": "8e6d22d4-4890-4e0d-a574-0d2e757f951e",
			"URL": "`+image+`", "iformat": "CONTAINER", "displayName": "image"}],
		"volumes": [{"uuid": "d507b2a1-2226-47cc-ac88-dee46077dad1", "displayName": "volume",
			"origin": {"type": 2, "downloadContentTreeID": "`+content+`"}}]}`)
}

// TestModelsArchitectureChoosesImages gives devices of two architectures an image for both, and one
// for amd64 alone.
func TestModelsArchitectureChoosesImages(t *testing.T) {
	for arch, want := range map[int]string{0: "amd64", 2: "amd64", 4: "arm64"} {
		in, err := Read(Options{Model: modelOf(t, arch), Config: onePort(t, "both:1")})
		if err != nil {
			t.Fatal(err)
		}
		site, err := twin.NewSite(twin.SiteOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, site, "both", "amd64", "arm64")
		r, d, err := in.run(context.Background(), Tries{}, site)
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK || r.Arch != want {
			t.Errorf("model of %d: the device is %q, %+v", arch, r.Arch, r.Errors)
		}
		var got []string
		for _, b := range d.Board.Disk.Blobs {
			var config struct{ Architecture string }
			if json.Unmarshal(b.Data, &config) == nil && config.Architecture != "" {
				got = append(got, config.Architecture)
			}
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("a device of %s has images for %v", want, got)
		}
	}
}

func TestImageForAnotherArchitectureIsTold(t *testing.T) {
	in, err := Read(Options{Model: modelOf(t, 4), Config: onePort(t, "one:1")})
	if err != nil {
		t.Fatal(err)
	}
	site, err := twin.NewSite(twin.SiteOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, site, "one", "amd64")
	r, _, err := in.run(context.Background(), Tries{}, site)
	if err != nil {
		t.Fatal(err)
	}
	const why = "no manifest for linux/arm64, only for linux/amd64"
	if !slices.ContainsFunc(r.Errors, func(e Trouble) bool { return strings.Contains(e.Text, why) }) {
		t.Errorf("errors are %+v, want one that says %s", r.Errors, why)
	}
}

// publish puts an image for some architectures into the bundled registry.
func publish(t *testing.T, site *twin.Site, name string, archs ...string) {
	t.Helper()
	var images []data.Image
	for _, arch := range archs {
		one, err := data.ImageSpec{Arch: arch, Entrypoint: []string{"/x"},
			Files: []data.File{{Path: "x", Body: []byte(arch)}}}.Build()
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, one)
	}
	index, err := data.Index(archs, images)
	if err != nil {
		t.Fatal(err)
	}
	site.Store(twin.Registry).PutImage(name, "1", index)
}
