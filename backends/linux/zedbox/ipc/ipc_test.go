package ipc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Messages are EVE's; what is none, or of another topic, is an error and not a row.
func TestMessages(t *testing.T) {
	topic := Topic{"nim", "Note"}
	for m, want := range map[string]string{
		"hello Note false":                     "none",
		"update Note a2V5 eyJOIjoxfQ==":        `update key {"N":1}`,
		"delete Note a2V5":                     "delete key ",
		"complete Note":                        "complete  ",
		"restarted Note 2":                     "restarted  ",
		"update Note a2V5":                     "error",
		"update Note !!! eyJOIjoxfQ==":         "error",
		"update Note a2V5 !!!":                 "error",
		"update Other a2V5 eyJOIjoxfQ==":       "error",
		"delete Note a2V5 more":                "error",
		"update":                               "error",
		"":                                     "error",
		"update Note a2V5 eyJOIjoxfQ== eyJ9IA": "error",
	} {
		e, known, err := parse(topic, m)
		got := fmt.Sprintf("%s %s %s", e.Op, e.Key, e.Row)
		switch {
		case err != nil:
			got = "error"
		case !known:
			got = "none"
		}
		if got != want {
			t.Errorf("%q is %q, want %q", m, got, want)
		}
	}
}

// A topic is followed until the device goes; one that nobody serves is told from one that breaks.
func TestFollow(t *testing.T) {
	run, err := os.MkdirTemp("/tmp", "ipc") // short, for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(run)
	dir := filepath.Join(run, "nim")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	topic := Topic{"nim", "Note"}
	if err := Follow(t.Context(), run, topic, nil); !errors.Is(err, ErrAway) {
		t.Errorf("without a socket: %v", err)
	}
	lis, err := net.ListenUnix("unixpacket",
		&net.UnixAddr{Name: filepath.Join(dir, "Note.sock"), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	lis.SetUnlinkOnClose(false)
	served := make(chan string, 1)
	go func() {
		c, err := lis.AcceptUnix()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 100)
		n, _ := c.Read(b)
		for _, m := range []string{"hello Note false", "update Note a2V5 e30=", "complete Note"} {
			if _, err := c.Write([]byte(m)); err != nil {
				break
			}
		}
		served <- string(b[:n])
	}()
	var ops []Op
	err = Follow(t.Context(), run, topic, func(e Event) error { ops = append(ops, e.Op); return nil })
	if !errors.Is(err, io.EOF) || !slices.Equal(ops, []Op{Update, Complete}) {
		t.Errorf("%v, %v", ops, err)
	}
	if asked := <-served; asked != "request Note" {
		t.Errorf("it asked %q", asked)
	}
	lis.Close()
	if err := Follow(t.Context(), run, topic, nil); !errors.Is(err, ErrAway) {
		t.Errorf("at the socket of a dead one: %v", err)
	}
	// Only what an agent's socket stands beside is a topic.
	if list, err := Topics(run); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if err := os.WriteFile(dir+".sock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := Topics(run); !slices.Equal(list, []Topic{topic}) || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}
