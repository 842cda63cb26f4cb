package eveapi_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

func TestConfigExchange(t *testing.T) {
	hash, token, err := eveapi.ParseConfigRequest(eveapi.ConfigRequestBody("h1", []byte("tok")))
	if err != nil || hash != "h1" || string(token) != "tok" {
		t.Errorf("request: %q %q %v", hash, token, err)
	}
	if b := eveapi.ConfigRequestBody("", nil); len(b) != 0 {
		t.Errorf("first request has a payload of %d bytes", len(b))
	}
	cfg := &config.EdgeDevConfig{
		Id: &config.UUIDandVersion{Uuid: "u", Version: "3"}, ControllercertConfighash: "stale",
	}
	raw, err := eveapi.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, certsHash := range []string{"", "c2"} {
		got, hash, err := eveapi.ParseConfigResponse(eveapi.ConfigResponseBody(raw, certsHash, "h2"))
		if err != nil || hash != "h2" {
			t.Fatalf("response: %q %v", hash, err)
		}
		want := proto.CloneOf(cfg)
		if certsHash != "" {
			want.ControllercertConfighash = certsHash
		}
		if !proto.Equal(got, want) {
			t.Errorf("certsHash %q: got %v", certsHash, got)
		}
	}
	same, err := eveapi.Marshal(&config.ConfigResponse{ConfigHash: "h2"})
	if err != nil {
		t.Fatal(err)
	}
	if got, hash, err := eveapi.ParseConfigResponse(same); got != nil || hash != "h2" || err != nil {
		t.Errorf("unchanged: %v %q %v", got, hash, err)
	}
}

func TestConfigOf10MBIsRefused(t *testing.T) {
	cfg := &config.EdgeDevConfig{}
	for i := range 100 {
		cfg.Apps = append(cfg.Apps, &config.AppInstanceConfig{
			Displayname: fmt.Sprint(i), UserData: string(bytes.Repeat([]byte("u"), 100_000)),
		})
	}
	raw, err := eveapi.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = eveapi.ParseConfigResponse(eveapi.ConfigResponseBody(raw, "", "h"))
	if eveapi.CodeOf(err) != eveapi.TooLarge {
		t.Errorf("got %v, want TooLarge", err)
	}
}

// Four million empty applications fit into 8 MiB on the wire and would take gigabytes in memory.
func TestConfigOfManyObjectsStaysSmallInMemory(t *testing.T) {
	const fieldApps = 4
	app := protowire.AppendBytes(protowire.AppendTag(nil, fieldApps, protowire.BytesType), nil)
	resp := eveapi.ConfigResponseBody(bytes.Repeat(app, 4_000_000), "", "h")
	if len(resp) > eveapi.MaxEnvelope {
		t.Fatalf("%d bytes are refused for their size alone", len(resp))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := eveapi.ParseConfigResponse(resp)
	runtime.ReadMemStats(&after)
	if eveapi.CodeOf(err) != eveapi.TooLarge {
		t.Errorf("got %v, want TooLarge", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("refusing it allocated %d bytes", got)
	}
}

func TestConfigNestedTooDeep(t *testing.T) {
	for _, depth := range []int{10, 1000, 100_000} {
		raw := nest(depth)
		_, _, err := eveapi.ParseConfigResponse(eveapi.ConfigResponseBody(raw, "", "h"))
		if depth == 10 && err != nil || depth > 10 && eveapi.CodeOf(err) != eveapi.Malformed {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

// nest builds an EdgeDevConfig with disks nested depth deep.
func nest(depth int) []byte {
	md := (&config.EdgeDevConfig{}).ProtoReflect().Descriptor()
	child := (&config.DisksConfig{}).ProtoReflect().Descriptor().Fields().ByName("children").Number()
	// The innermost message comes last, so the headers are laid from the inside out, reversed.
	var size int
	var headers [][]byte
	for range depth {
		h := protowire.AppendVarint(protowire.AppendTag(nil, child, protowire.BytesType), uint64(size))
		headers = append(headers, h)
		size += len(h)
	}
	b := protowire.AppendTag(nil, md.Fields().ByName("disks").Number(), protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	for i := len(headers) - 1; i >= 0; i-- {
		b = append(b, headers[i]...)
	}
	return b
}

func TestBootstrapFile(t *testing.T) {
	p := newPKI(t)
	cfg, err := eveapi.Marshal(&config.EdgeDevConfig{ProductName: "boot"})
	if err != nil {
		t.Fatal(err)
	}
	file, err := eveapi.BootstrapFile(p.sign.seal(t, cfg, 32), p.list()[:2])
	if err != nil {
		t.Fatal(err)
	}
	got, err := eveapi.OpenBootstrap(file, p.root.pem, noon, eveapi.CertOptions{})
	if err != nil || got.GetProductName() != "boot" {
		t.Fatalf("got %v, %v", got, err)
	}
	for name, c := range map[string]struct {
		file []byte
		want eveapi.Code
	}{
		"truncated": {file[:len(file)-3], eveapi.Malformed},
		"flipped":   {bytes.Replace(file, []byte("boot"), []byte("bood"), 1), eveapi.SignVerifyFail},
		"empty":     {nil, eveapi.CertSet},
	} {
		_, err := eveapi.OpenBootstrap(c.file, p.root.pem, noon, eveapi.CertOptions{})
		if eveapi.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	foreign, err := eveapi.BootstrapFile(p.ecdh.seal(t, cfg, 32), p.list()[:2])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eveapi.OpenBootstrap(foreign, p.root.pem, noon,
		eveapi.CertOptions{}); eveapi.CodeOf(err) != eveapi.CertMiss {
		t.Errorf("foreign signer: %v, want CertMiss", err)
	}
}
