package fleet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/info"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func certPEM(t testing.TB, name string) []byte {
	t.Helper()
	d := sha256.Sum256([]byte(name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1)}
	tmpl.Subject.CommonName = name
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func register(t testing.TB, f *fleet.Fleet, by, dev, serial string) (*fleet.Device, fleet.Outcome) {
	t.Helper()
	onboard, err := eveapi.ParseDeviceCert(certPEM(t, by))
	if err != nil {
		t.Fatal(err)
	}
	text := certPEM(t, dev)
	cert, err := eveapi.ParseDeviceCert(text)
	if err != nil {
		t.Fatal(err)
	}
	d, outcome, err := f.Register(onboard.Hash,
		eveapi.Registration{CertPEM: text, Serial: serial}, cert)
	if (err == nil) != (outcome == fleet.Created || outcome == fleet.Repeated) {
		t.Fatalf("outcome %d with error %v", outcome, err)
	}
	return d, outcome
}

func newFleet(t testing.TB, o fleet.Options) *fleet.Fleet {
	t.Helper()
	f := fleet.New(o)
	if _, err := f.AddOnboard(certPEM(t, "site"), "*"); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDeviceClaimsTheRecordThatWaitsForItsSerial(t *testing.T) {
	f := newFleet(t, fleet.Options{Seed: "s"})
	waiting, err := f.AddDevice(fleet.NewDevice{Name: "edge", Serial: "SN1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := waiting.Cert(); ok || waiting.Registered() {
		t.Errorf("the record has a certificate before the device came")
	}
	before := f.Revision()
	d, outcome := register(t, f, "site", "dev", "sn1")
	if d != waiting || outcome != fleet.Created || !d.Registered() || f.Revision() == before {
		t.Errorf("claimed: %v, outcome %d", d == waiting, outcome)
	}
	if d, outcome := register(t, f, "site", "dev", "sn1"); d != waiting || outcome != fleet.Repeated {
		t.Errorf("repeated: outcome %d", outcome)
	}
	if _, outcome := register(t, f, "site", "dev2", "SN1"); outcome != fleet.Conflict {
		t.Errorf("another certificate: outcome %d", outcome)
	}
	if _, outcome := register(t, f, "stranger", "dev2", "SN2"); outcome != fleet.Refused {
		t.Errorf("unknown onboarding certificate: outcome %d", outcome)
	}
	if f.Len() != 1 {
		t.Errorf("%d devices, want 1", f.Len())
	}
	if got, ok := f.ByName("edge"); !ok || got != waiting {
		t.Errorf("by name: %v", ok)
	}
}

func TestDeviceAddedWithItsCertificateRegistersOnce(t *testing.T) {
	f := newFleet(t, fleet.Options{})
	d, err := f.AddDevice(fleet.NewDevice{CertPEM: certPEM(t, "dev")})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []fleet.Outcome{fleet.Created, fleet.Repeated} {
		if got, outcome := register(t, f, "site", "dev", "7"); got != d || outcome != want {
			t.Errorf("registration %d: outcome %d, want %d", i, outcome, want)
		}
	}
	if _, outcome := register(t, f, "site", "dev2", "7"); outcome != fleet.Conflict {
		t.Errorf("another device with the serial: outcome %d", outcome)
	}
	if _, err := f.AddDevice(fleet.NewDevice{CertPEM: certPEM(t, "dev"), Name: "x"}); !errors.Is(err,
		fleet.ErrConflict) {
		t.Errorf("certificate added again: %v", err)
	}
	if err := f.Remove(d.UUID()); err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(d.UUID()); !errors.Is(err, fleet.ErrUnknown) {
		t.Errorf("removed again: %v", err)
	}
	if _, outcome := register(t, f, "site", "dev2", "7"); outcome != fleet.Created {
		t.Errorf("the serial is not free after removal: outcome %d", outcome)
	}
}

func TestConfigVersions(t *testing.T) {
	f := newFleet(t, fleet.Options{})
	d, _ := register(t, f, "site", "dev", "1")
	raw, hash, version := d.ConfigBytes()
	if version != "" || hash == "" || len(raw) == 0 {
		t.Fatalf("first: version %q, hash %q", version, hash)
	}
	cfg := &config.EdgeDevConfig{ProductName: "a"}
	for i, step := range []struct {
		given, ifIs, want string
		at                time.Time
		stamp             time.Time
	}{
		{"7", "", "7", noon, noon},
		{"", "", "8", noon.Add(-time.Hour), noon},
		{"8", "", "9", noon.Add(time.Hour), noon.Add(time.Hour)},
		{"8", "", "", noon, noon},
		{"", "8", "", noon, noon},
		{"", "9", "10", time.Time{}, time.Time{}},
	} {
		cfg.Id = &config.UUIDandVersion{Version: step.given, Uuid: "not the device's"}
		got, err := d.SetConfig(fleet.Change{Config: cfg, If: step.ifIs, At: step.at})
		if step.want == "" {
			if !errors.Is(err, fleet.ErrStale) {
				t.Errorf("step %d: %q, %v, want ErrStale", i, got, err)
			}
			continue
		}
		if err != nil || got != step.want {
			t.Fatalf("step %d: %q, %v, want %q", i, got, err, step.want)
		}
		stored, version, err := d.Config()
		if err != nil || version != step.want || stored.GetId().GetVersion() != step.want ||
			stored.GetId().GetUuid() != d.UUID() {
			t.Errorf("step %d: stored %v, %v", i, stored, err)
		}
		if !step.stamp.IsZero() && !stored.GetConfigTimestamp().AsTime().Equal(step.stamp) {
			t.Errorf("step %d: stamped %v, want %v", i, stored.GetConfigTimestamp(), step.stamp)
		}
	}
	_, next, _ := d.ConfigBytes()
	d.SetRawConfig([]byte("\xff"))
	if _, raw, version := d.ConfigBytes(); raw == next || version != "11" {
		t.Errorf("raw configuration: hash %q, version %q", raw, version)
	}
}

func blobInfo(t testing.TB, device, sha string, n int) fleet.Report {
	t.Helper()
	body, err := eveapi.InfoBody(&info.ZInfoMsg{
		Ztype: info.ZInfoTypes_ZiBlobList, DevId: device,
		InfoContent: &info.ZInfoMsg_Binfo{Binfo: &info.ZInfoBlobList{
			Blob: []*info.ZInfoBlob{{Sha256: sha, State: info.ZSwState(n)}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fleet.Report{
		At: noon, Kind: eveapi.Info, Type: info.ZInfoTypes_ZiBlobList, Entity: sha, Body: body,
	}
}

func TestReportsAreBoundedAndNumbered(t *testing.T) {
	f := newFleet(t, fleet.Options{HistoryBytes: 1000})
	d, _ := register(t, f, "site", "dev", "1")
	var told []string
	f.Watch(func(device string) { told = append(told, device) })
	for i := range 100 {
		d.AddReport(blobInfo(t, d.UUID(), fmt.Sprint("sha", i%3), i))
	}
	all := d.ReportsSince(eveapi.Info, 0)
	size := 0
	for i, r := range all {
		size += len(r.Body)
		if r.Seq != uint64(100-len(all)+i+1) {
			t.Errorf("report %d has number %d", i, r.Seq)
		}
	}
	if size > 1000 || size < 800 {
		t.Errorf("%d bytes kept, want just under 1000", size)
	}
	if got := d.ReportsSince(eveapi.Info, 98); len(got) != 2 || got[0].Seq != 99 {
		t.Errorf("since 98: %v", got)
	}
	if got := d.ReportsSince(eveapi.Info, d.LastSeq()); len(got) != 0 {
		t.Errorf("since the last: %v", got)
	}
	infos := d.LastInfos(info.ZInfoTypes_ZiBlobList)
	if len(infos) != 3 || int(infos[1].GetBinfo().GetBlob()[0].GetState()) != 97 {
		t.Errorf("newest of each entity: %v", infos)
	}
	if len(told) != 100 || told[0] != d.UUID() {
		t.Errorf("told %d times", len(told))
	}
	if d.DeviceInfo() != nil || d.AppInfo("x") != nil || d.Metrics() != nil {
		t.Errorf("something is known that was never reported")
	}
}

func TestSnapshotRoundTrip(t *testing.T) {
	f := newFleet(t, fleet.Options{HistoryBytes: 500})
	d, _ := register(t, f, "site", "dev", "1")
	if _, err := f.AddDevice(fleet.NewDevice{Name: "later", Serial: "2", Product: "p"}); err != nil {
		t.Fatal(err)
	}
	cfg := &config.EdgeDevConfig{ProductName: "a"}
	if _, err := d.SetConfig(fleet.Change{Config: cfg, At: noon}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		d.AddReport(blobInfo(t, d.UUID(), fmt.Sprint("sha", i%7), i))
	}
	first := f.Snapshot()
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	var read fleet.Snapshot
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	g, err := fleet.Restore(fleet.Options{HistoryBytes: 500}, read)
	if err != nil {
		t.Fatal(err)
	}
	if second := g.Snapshot(); !reflect.DeepEqual(first, second) {
		t.Errorf("restored fleet differs:\n%+v\n%+v", first, second)
	}
	if _, outcome := register(t, g, "site", "dev", "1"); outcome != fleet.Repeated {
		t.Errorf("registered again: outcome %d", outcome)
	}
	if _, outcome := register(t, g, "site", "dev3", "2"); outcome != fleet.Created {
		t.Errorf("waiting record: outcome %d", outcome)
	}
	read.Devices[1].UUID = read.Devices[0].UUID
	if _, err := fleet.Restore(fleet.Options{}, read); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("two devices of one UUID: %v", err)
	}
}
