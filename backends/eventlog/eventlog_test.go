package eventlog_test

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/evetwin/evetwin/backends/eventlog"
)

// TestBytes has one event written out by hand.
func TestBytes(t *testing.T) {
	l := eventlog.Log{{Register: 14, Type: 0x80000007, Data: []byte("abc")}}
	want := "0e000000" + "07000080" + "01000000" + "0b00" +
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" + "03000000" + "616263"
	if got := hex.EncodeToString(l.Bytes()); got != want {
		t.Errorf("the log is\n%s, want\n%s", got, want)
	}
}

func TestParse(t *testing.T) {
	l := eventlog.Log{{Register: 14, Type: 1, Data: []byte("abc")}, {Register: 8, Type: 2,
		Data: []byte("a longer one")}}
	whole := l.Bytes()
	got, err := eventlog.Parse(whole)
	if err != nil || !reflect.DeepEqual(got, l) {
		t.Fatalf("read back: %+v, %v", got, err)
	}
	first := len(l[:1].Bytes())
	for n := range whole {
		if _, err := eventlog.Parse(whole[:n]); (err == nil) != (n == 0 || n == first) {
			t.Errorf("cut off after %d bytes: %v", n, err)
		}
	}
	whole[first-1] ^= 1
	if _, err := eventlog.Parse(whole); err == nil {
		t.Error("an event that was changed goes unnoticed")
	}
	if !l.Has(l[1]) || l.Has(eventlog.Event{Register: 9, Type: 2, Data: l[1].Data}) {
		t.Error("Has does not find what is there, or finds what is not")
	}
}
