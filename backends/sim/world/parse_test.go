package world

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// load parses a model of testdata.
func load(t testing.TB, name string) *Model {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseGoodModels(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d models in testdata, %v", len(files), err)
	}
	for _, f := range files {
		m := load(t, strings.TrimSuffix(filepath.Base(f), ".json"))
		if len(m.Unknown) > 0 {
			t.Errorf("%s: unknown fields %v", f, m.Unknown)
		}
		if len(m.Ports) == 0 || len(m.Networks) == 0 {
			t.Errorf("%s: %d ports, %d networks", f, len(m.Ports), len(m.Networks))
		}
	}
}

// TestParseBadModels reads one file per class of mistake; its lines are in FILE.err.
func TestParseBadModels(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d bad models, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(f, ".json") + ".err")
			if err != nil {
				t.Fatal(err)
			}
			m, err := Parse("net.json", data)
			if err == nil {
				t.Fatalf("accepted as %+v", m)
			}
			if got := err.Error() + "\n"; got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestParseUnknownFields(t *testing.T) {
	m, err := Parse("n.json", []byte(`{"ports":[{"logicalLabel":"a","speed":10,"\u0007":1}],
		"weather":{"logicalLabel":"x"},"Bridges":[{"LOGICALLABEL":"b"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(m.Unknown, " ")
	if want := `ports[0].speed ports[0]."\a" weather`; got != want {
		t.Errorf("unknown %s, want %s", got, want)
	}
	if m.Bridges[0].Label != "b" {
		t.Error("the case of a field name matters, but for Eden it does not")
	}
}

func TestParseTooLarge(t *testing.T) {
	_, err := Parse("n.json", []byte(strings.Repeat(" ", maxFile)+"{}"))
	want := "n.json: has 4194306 bytes, more than the limit of 4194304"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseLongNames(t *testing.T) {
	long := strings.Repeat("x", 2000)
	_, err := Parse("long.json", []byte(`{"ports": [{"logicalLabel": "`+long+`"}]}`))
	if err == nil || !strings.HasPrefix(err.Error(), "long.json: ports[0].logicalLabel (") ||
		!strings.Contains(err.Error(), "): has 2000 bytes, more than 1024") {
		t.Errorf("a long label gave %v", err)
	}
}

func TestParseManyMistakes(t *testing.T) {
	_, err := Parse("n.json", []byte(`{"ports":[`+strings.Repeat("{},", 300)+`{}]}`))
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxFindings+1 || lines[maxFindings] != "n.json: 201 more mistakes" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
}

func TestParseKeysOfAllEncodings(t *testing.T) {
	rk, err1 := rsa.GenerateKey(rand.Reader, 2048)
	ek, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	sec1, err3 := x509.MarshalECPrivateKey(ek)
	pkcs8, err4 := x509.MarshalPKCS8PrivateKey(rk)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		kind   string
		signer crypto.Signer
		der    []byte
	}{
		{"RSA PRIVATE KEY", rk, x509.MarshalPKCS1PrivateKey(rk)},
		{"EC PRIVATE KEY", ek, sec1},
		{"PRIVATE KEY", rk, pkcs8},
	} {
		c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
		cert, err := x509.CreateCertificate(rand.Reader, c, c, k.signer.Public(), k.signer)
		if err != nil {
			t.Fatal(err)
		}
		enc := func(kind string, b []byte) string {
			return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
		}
		a, err := ParseAuthority(enc("CERTIFICATE", cert),
			enc("EC PARAMETERS", []byte{1})+enc(k.kind, k.der))
		if err != nil {
			t.Errorf("%s: %v", k.kind, err)
			continue
		}
		if _, err := a.Issue("x.test"); err != nil {
			t.Errorf("%s: %v", k.kind, err)
		}
	}
}

func TestDefaultModel(t *testing.T) {
	for _, n := range []int{-1, 1, 2, 64, 65} {
		m := Default(n)
		if err := m.Check(); err != nil {
			t.Errorf("Default(%d): %v", n, err)
		}
		if want := max(1, min(n, 64)); len(m.Ports) != want {
			t.Errorf("Default(%d) has %d ports, want %d", n, len(m.Ports), want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, glob := range []string{"testdata/*.json", "testdata/bad/*.json"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse("fuzz.json", data)
		if err == nil {
			if err := m.Check(); err != nil {
				t.Fatalf("parsed but not good: %v", err)
			}
			use(New(m, Options{}))
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "fuzz.json: ") {
				t.Fatalf("a line without its file: %q", line)
			}
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"),
				func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Fatalf("unprintable: %q", line)
			}
		}
	})
}

// use does a little of everything in a world; it must come back without a panic.
func use(w *World) {
	ports := w.Ports()
	for i := range w.nets {
		n := &w.nets[i]
		for _, p := range ports[:min(3, len(ports))] {
			f := From{Attach: Attach{Port: p.Label, VLAN: n.VLAN, MAC: p.MAC}}
			w.RA(noon(), f.Attach)
			for _, l := range []Lease{
				w.DHCP4(noon(), f.Attach, DHCPAsk{}), w.DHCP6(noon(), f.Attach, DHCPAsk{}),
			} {
				if l.Offer == nil {
					continue
				}
				f.Src = l.Offer.Addr.Addr()
				u := &url.URL{Scheme: "https", Host: "mydomain.adam"}
				w.Do(noon(), f, &Request{URL: u, Resolver: l.Offer.DNS})
			}
		}
	}
	for _, e := range w.ends {
		for _, a := range w.ControllerAddrs() {
			w.FromOutside(noon(), e.Label, netip.AddrPortFrom(a, 80), tcp)
		}
		w.endAddress(&e, "docker.io")
	}
}
