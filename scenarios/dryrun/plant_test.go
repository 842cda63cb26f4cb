package dryrun

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// plant is a configuration in the making: lists of objects in JSON.
type plant struct {
	instances, trees, volumes, apps []string
	refs                            [][]string // volumes of each application
}

// Kinds of objects in UUIDs.
const (
	kindApp      = 'a'
	kindInstance = 'b'
	kindTree     = 'c'
	kindVolume   = 'd'
)

// id makes the UUID of the k-th object of a kind.
func id(kind byte, k int) string { return fmt.Sprintf("%c0000000-0000-4000-8000-%012d", kind, k) }

// Datastores and the network of every such configuration.
const (
	plantFiles    = "f0000000-0000-4000-8000-000000000001"
	plantRegistry = "f0000000-0000-4000-8000-000000000002"
	plantNet      = "e0000000-0000-4000-8000-000000000001"
)

// instance adds a local network instance with a subnet of its own.
func (p *plant) instance(k int) {
	net := fmt.Sprintf("10.%d.%d.", 60+k/250, k%250)
	p.instances = append(p.instances, fmt.Sprintf(`{"uuidandversion":{"uuid":%q,"version":"1"},`+
		`"displayname":"n%d","instType":2,"activate":true,"port":{"type":1,"name":"eth0"},"ipType":1,`+
		`"ip":{"subnet":"%s0/24","gateway":"%s1","dhcpRange":{"start":"%s2","end":"%s254"}}}`,
		id(kindInstance, k), k, net, net, net, net))
}

// file adds a content tree that is one file of a web server.
func (p *plant) file(k int) {
	p.trees = append(p.trees, fmt.Sprintf(`{"uuid":%q,"dsId":%q,"URL":"f%d.raw","iformat":"RAW",`+
		`"sha256":"%064x","maxSizeBytes":"100000000","displayName":"f%d"}`,
		id(kindTree, k), plantFiles, k, k+1, k))
}

// image adds a content tree of a container registry that is named by its tag.
func (p *plant) image(k int) {
	p.trees = append(p.trees, fmt.Sprintf(`{"uuid":%q,"dsId":%q,"URL":"org/image%d:1",`+
		`"iformat":"CONTAINER","displayName":"i%d"}`, id(kindTree, k), plantRegistry, k, k))
}

// disk adds a volume made of the k-th content tree.
func (p *plant) disk(k int) {
	p.volumes = append(p.volumes, fmt.Sprintf(`{"uuid":%q,"origin":{"type":2,`+
		`"downloadContentTreeID":%q},"displayName":"v%d","maxsizebytes":"100000"}`,
		id(kindVolume, k), id(kindTree, k), k))
}

// blank adds a volume made of nothing.
func (p *plant) blank(k int) {
	p.volumes = append(p.volumes, fmt.Sprintf(`{"uuid":%q,"origin":{"type":1},"displayName":"v%d",`+
		`"maxsizebytes":"100000"}`, id(kindVolume, k), k))
}

// app adds an application with so many KiB of memory, the k-th volume and an interface on each of
// some network instances.
func (p *plant) app(k, memory int, on ...int) {
	var nets []string
	for _, i := range on {
		nets = append(nets, fmt.Sprintf(`{"name":"i%d","networkId":%q,"acls":[{"id":1,`+
			`"matches":[{"type":"ip","value":"0.0.0.0/0"}]}]}`, i, id(kindInstance, i)))
	}
	p.apps = append(p.apps, fmt.Sprintf(`{"uuidandversion":{"uuid":%q,"version":"1"},`+
		`"displayname":"a%d","fixedresources":{"memory":%d,"maxmem":%d,"vcpus":1,`+
		`"virtualizationMode":1},"activate":true,"interfaces":[%s]`, id(kindApp, k), k, memory, memory,
		strings.Join(nets, ",")))
	p.refs = append(p.refs, []string{fmt.Sprintf(`{"uuid":%q}`, id(kindVolume, k))})
}

// share gives the last application the volumes of n before it, too.
func (p *plant) share(n int) {
	k := len(p.refs) - 1
	for i := max(k-n, 0); i < k; i++ {
		p.refs[k] = append(p.refs[k], fmt.Sprintf(`{"uuid":%q}`, id(kindVolume, i)))
	}
}

// write makes a file of it.
func (p *plant) write(t *testing.T) string {
	t.Helper()
	for k := range p.apps {
		p.apps[k] += `,"volumeRefList":[` + strings.Join(p.refs[k], ",") + "]}"
	}
	list := func(l []string) string { return "[" + strings.Join(l, ",\n") + "]" }
	return file(t, "config.json", `{"networks":[{"id":"`+plantNet+`","type":"V4",`+
		`"ip":{"dhcp":"Client"}}],`+
		`"systemAdapterList":[{"name":"eth0","uplink":true,"networkUUID":"`+plantNet+`"}],`+
		`"datastores":[{"id":"`+plantFiles+`","dType":"DsHttps",`+
		`"fqdn":"https://files.example.net","dpath":"images"},`+
		`{"id":"`+plantRegistry+`","dType":"DsContainerRegistry",`+
		`"fqdn":"docker://registry.example.net"}],`+
		`"networkInstances":`+list(p.instances)+`,"contentInfo":`+list(p.trees)+
		`,"volumes":`+list(p.volumes)+`,"apps":`+list(p.apps)+"}")
}

// bigModel is a device on which 200 applications run at once.
func bigModel(t *testing.T) string {
	return file(t, "model.json", `{"arch":2,"attr":{"memory":"100G","storage":"4000G","Cpus":"256"},`+
		`"ioMemberList":[{"ztype":1,"phylabel":"eth0","logicallabel":"eth0","assigngrp":"eth0",`+
		`"phyaddrs":{"Ifname":"eth0"},"usage":1}]}`)
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
