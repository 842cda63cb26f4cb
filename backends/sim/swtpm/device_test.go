package swtpm_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts a software TPM on a state folder.
func open(t *testing.T, dir string) *swtpm.TPM {
	t.Helper()
	labtest.Program(t, "swtpm")
	sockets, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := swtpm.Open(t.Context(), swtpm.Options{Dir: dir, SocketDir: sockets.Path})
	if err != nil {
		_ = sockets.Close()
		t.Fatal(err)
	}
	closed := sync.OnceFunc(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
		left, _ := filepath.Glob(filepath.Join(sockets.Path, "*.sock"))
		children := slices.DeleteFunc(labtest.Offspring(), func(line string) bool {
			return !strings.Contains(line, sockets.Path) // another TPM of the same test
		})
		if len(left) > 0 || len(children) > 0 {
			t.Errorf("left behind: %v %v", left, children)
		}
		_ = sockets.Close()
	})
	t.Cleanup(closed)
	return opened
}

func key(t *testing.T, on *swtpm.TPM, wantMade bool) *tpm.Key {
	t.Helper()
	got, made, err := on.DeviceKey()
	if err != nil {
		t.Fatal(err)
	}
	if made != wantMade {
		t.Errorf("device key was made: %v, want %v", made, wantMade)
	}
	return got
}

func verify(public *ecdsa.PublicKey, digest [32]byte, rs [64]byte) bool {
	r, s := new(big.Int).SetBytes(rs[:32]), new(big.Int).SetBytes(rs[32:])
	return ecdsa.Verify(public, digest[:], r, s)
}

// TestLAB13_DeviceKeySurvives makes a key, signs, closes everything, and finds the same key and
// the same stored certificate in the next life. Each close leaves no process and no socket.
func TestLAB13_DeviceKeySurvives(t *testing.T) {
	state := t.TempDir()
	first := open(t, state)
	properties, err := first.Properties()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", properties)
	if properties.Manufacturer != "IBM" || !strings.HasPrefix(properties.Spec, "1.") {
		t.Errorf("properties are %+v", properties)
	}
	made := key(t, first, true)
	digest := sha256.Sum256([]byte("device"))
	for range 20 { // r or s is short in some of them
		rs, err := made.Sign(digest)
		if err != nil {
			t.Fatal(err)
		}
		if !verify(made.Public(), digest, rs) {
			t.Fatalf("signature %x does not verify", rs)
		}
	}
	cert := bytes.Repeat([]byte("certificate "), 150) // more than one command carries
	if err := first.NVWrite(tpm.DeviceCertIndex, cert); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if left := labtest.Offspring(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	second := open(t, state)
	if found := key(t, second, false); !found.Public().Equal(made.Public()) {
		t.Error("the device key is another one after a restart")
	}
	if got, err := second.NVRead(tpm.DeviceCertIndex); err != nil || !bytes.Equal(got, cert) {
		t.Errorf("certificate after a restart: %d bytes, %v", len(got), err)
	}
}

func TestEveryTPMHasItsOwnKey(t *testing.T) {
	one, two := open(t, t.TempDir()), open(t, t.TempDir())
	if key(t, one, true).Public().Equal(key(t, two, true).Public()) {
		t.Error("two TPMs have one key")
	}
}

func TestNVIndexes(t *testing.T) {
	on := open(t, t.TempDir())
	const index = 0x01500001
	if _, err := on.NVRead(index); !errors.Is(err, tpm.ErrNoData) {
		t.Errorf("reading what is not there: %v", err)
	}
	for _, text := range []string{"first", "other", "longer than before", "x"} {
		if err := on.NVWrite(index, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := on.NVRead(index); err != nil || string(got) != text {
			t.Errorf("read %q, %v, want %q", got, err, text)
		}
	}
	if err := on.NVWrite(index, make([]byte, 1<<16)); err == nil {
		t.Error("64 KiB fit into an NV index")
	}
	if got, err := on.NVRead(index); err != nil || string(got) != "x" {
		t.Errorf("a refused write left %q, %v", got, err)
	}
	for range 2 {
		if err := on.NVDelete(index); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := on.NVRead(index); !errors.Is(err, tpm.ErrNoData) {
		t.Errorf("reading what was deleted: %v", err)
	}
	if _, err := on.OpenKey(0x81000042); !errors.Is(err, tpm.ErrNoKey) {
		t.Errorf("opening a key that is not there: %v", err)
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	on := open(t, t.TempDir())
	made := key(t, on, true)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			digest := sha256.Sum256([]byte{byte(i)})
			rs, err := made.Sign(digest)
			if err != nil || !verify(made.Public(), digest, rs) {
				t.Errorf("caller %d: %v", i, err)
			}
			random, err := on.Random(100)
			if err != nil || len(random) != 100 || bytes.Equal(random, make([]byte, 100)) {
				t.Errorf("caller %d: %d random bytes, %v", i, len(random), err)
			}
		})
	}
	all.Wait()
}

// TestKilledIsStartedAgain kills swtpm with a command coming right behind.
func TestKilledIsStartedAgain(t *testing.T) {
	on := open(t, t.TempDir())
	made := key(t, on, true)
	if err := unix.Kill(on.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("again"))
	var rs [64]byte
	var err error
	// The first command may still reach the dying process and be cut off.
	for range 3 {
		if rs, err = made.Sign(digest); err == nil {
			break
		}
	}
	if err != nil || !verify(made.Public(), digest, rs) {
		t.Fatalf("after a kill: %v", err)
	}
	if on.Starts() != 2 {
		t.Errorf("swtpm was started %d times, want 2", on.Starts())
	}
}

// TestReset has a register begin anew and a key stay.
func TestReset(t *testing.T) {
	on := open(t, t.TempDir())
	made := key(t, on, true)
	for range 3 {
		if err := on.Extend(14, [32]byte{1}); err != nil {
			t.Fatal(err)
		}
		if v, err := on.PCRs([]uint32{14}); err != nil || v[0] == [32]byte{} {
			t.Fatalf("extended, register 14 is %x, %v", v, err)
		}
		if err := on.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := on.PCRs([]uint32{14}); err != nil || v[0] != [32]byte{} {
			t.Fatalf("after a reset register 14 is %x, %v", v, err)
		}
	}
	if !key(t, on, false).Public().Equal(made.Public()) {
		t.Error("after a reset the device key is another one")
	}
}

func TestStateInUse(t *testing.T) {
	state := t.TempDir()
	open(t, state)
	_, err := swtpm.Open(t.Context(), swtpm.Options{Dir: state, SocketDir: t.TempDir(), Name: "b"})
	if err == nil {
		t.Fatal("two TPMs run on one state")
	}
	t.Log(err)
}

func TestOpenWhatIsNoTPM(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, file + "-not-there"} {
		if _, err := tpm.Open(path); err == nil {
			t.Errorf("%s is a TPM", path)
		}
	}
}

func TestHowFast(t *testing.T) {
	start := time.Now()
	on := open(t, t.TempDir())
	opened := time.Since(start)
	made := key(t, on, true)
	keyed := time.Since(start) - opened
	signing := time.Now()
	for range 50 {
		if _, err := made.Sign([32]byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("open %v, make key %v, sign %v", opened, keyed, time.Since(signing)/50)
}
