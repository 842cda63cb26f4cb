package controllersim_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
)

func TestOneSeedGivesTheSameBytes(t *testing.T) {
	var answers [2][][]byte
	for i := range answers {
		c := newController(t)
		d := newDevice(t, c, "1")
		d.onboardFully()
		answers[i] = append(answers[i], c.RootPEM(), d.get(eveapi.Certs).Body, []byte(d.UUID),
			d.post(eveapi.Config, nil).Body, c.TLSCertificate().Certificate[0])
	}
	for i := range answers[0] {
		if !bytes.Equal(answers[0][i], answers[1][i]) {
			t.Errorf("answer %d differs between two controllers of one seed", i)
		}
	}
	other, err := controllersim.New(controllersim.Options{Seed: []byte("other")})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(other.RootPEM(), answers[0][0]) {
		t.Errorf("another seed gives the same root")
	}
	if _, err := controllersim.New(controllersim.Options{}); err == nil {
		t.Errorf("a controller without a seed is made")
	}
}

func TestServerCertificate(t *testing.T) {
	c, err := controllersim.New(controllersim.Options{
		Seed: []byte("another seed"), Hosts: []string{"ctl.sdn", "10.0.0.2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.RootPEM())
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "ctl.sdn", "10.0.0.2"} {
		for _, now := range []time.Time{time.Unix(3600, 0), noon, noon.AddDate(40, 0, 0)} {
			_, err := c.TLSCertificate().Leaf.Verify(x509.VerifyOptions{
				DNSName: host, Roots: roots, CurrentTime: now,
			})
			if err != nil {
				t.Errorf("%s in %d: %v", host, now.Year(), err)
			}
		}
	}
	if err := c.TLSCertificate().Leaf.VerifyHostname("elsewhere"); err == nil {
		t.Errorf("the certificate is good for any host")
	}
	_, key, err := c.OnboardPEM()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(key)
	parsed, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil || !parsed.Equal(c.OnboardKey()) {
		t.Errorf("onboarding key does not come back: %v", err)
	}
}

func TestBootstrapOpens(t *testing.T) {
	c := newController(t)
	file, err := c.Bootstrap(&config.EdgeDevConfig{ProductName: "p"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := eveapi.OpenBootstrap(file, c.RootPEM(), time.Unix(60, 0), eveapi.CertOptions{})
	if err != nil || got.GetProductName() != "p" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRestartFromSnapshot(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	if err := c.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := d.FetchCerts(); err != nil {
		t.Fatal(err)
	}
	change := fleet.Change{Config: &config.EdgeDevConfig{ProductName: "p"}, At: noon}
	if _, err := d.record().SetConfig(change); err != nil {
		t.Fatal(err)
	}
	if _, code, _ := d.fetchConfig(); code != 200 {
		t.Fatalf("config: %d", code)
	}
	restored, err := fleet.Restore(fleet.Options{}, c.Fleet().Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	d.c, err = controllersim.New(controllersim.Options{
		Seed: []byte("seed"), Generation: c.Generation(), Fleet: restored,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, code, fault := d.fetchConfig(); code != 304 || fault != nil {
		t.Errorf("after the restart: %d %v, want 304", code, fault)
	}
	if code := d.register(); code != 200 {
		t.Errorf("register after the restart: %d, want 200", code)
	}
}
