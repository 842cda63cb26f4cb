package farm_test

import (
	"strings"
	"testing"

	"github.com/evetwin/evetwin/scenarios/farm"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct{ text, shown string }{
		{"nats://h:4222", "nats://h:4222"},
		{"nats://secret@h:4222", "nats://h:4222"},
		{"tls://u:secret@h:4222,tls://u:secret@i", "tls://h:4222,tls://i"},
		{"embed", "embed://127.0.0.1:0"},
		{"embed://secret@0.0.0.0:4222", "embed://0.0.0.0:4222"},
		{"embed://u:secret@[::1]:4222", "embed://[::1]:4222"},
	} {
		p, err := farm.ParsePlace(c.text)
		if err != nil || p.String() != c.shown {
			t.Errorf("%s: %v, %v", c.text, p, err)
		}
	}
	for _, text := range []string{"", "h:4222", "http://h:4222", "nats://", "nats://secret@", "nats:h",
		"nats://secret@h:4222/x", "nats://h:99999x", "embed://example.com:1", "embed://0.0.0.0:70000",
		"nats://h,embed://127.0.0.1:1", "embed://127.0.0.1:1,nats://h", "nats://u:secret@h?x=1",
		"nats://u:%zzsecret@h"} {
		if p, err := farm.ParsePlace(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
	for _, name := range []string{"", "a b", "a.b", "*", strings.Repeat("x", 65)} {
		if farm.CheckName(name) == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

func TestWhereNobodyListens(t *testing.T) {
	s := serve(t, "embed", "")
	url := s.URL("")
	wrong := strings.Replace(url, "nats://", "nats://x", 1)
	for address, want := range map[string]string{wrong: "Authorization", url: "no server answers"} {
		if address == url {
			s.Close()
		}
		p, err := farm.ParsePlace(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := farm.Dial(farm.DialOptions{Place: p}); err == nil ||
			strings.Contains(err.Error(), "@") ||
			!strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "no server answers") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
