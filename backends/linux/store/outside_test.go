package store

import (
	"os"
	"path/filepath"
	"testing"

	device "github.com/evetwin/evetwin/core/device/store"
)

// TestLostEventsAreMadeUpFor has more happen than is told: all that changed is seen when everything
// is looked at.
func TestLostEventsAreMadeUpFor(t *testing.T) {
	r := up(t, Options{Root: t.TempDir()})
	must(t, r.write(lastFile, []byte("x"), false))
	sha, err := r.loads([]byte("blob"))
	must(t, err, r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Size: 1}))
	must(t, r.watch.Close()) // nothing is told
	must(t, os.Remove(r.host(lastFile)), os.Remove(r.blobPath(sha)))
	must(t, os.Rename(r.host(clearDir+"/v#0.raw"), r.host(clearDir+"/w#0.raw")))
	must(t, os.WriteFile(r.host("/persist/status/new"), []byte("new"), 0o600))
	r.Lost()
	files, _ := rows(t, r, r.files)
	blobs, _ := rows(t, r, r.blobs)
	volumes, _ := rows(t, r, r.volumes)
	f := files[device.FileKey("/persist/status/new")]
	if len(files) != 1 || f.Sha256 != sum([]byte("new")) || len(blobs) > 0 || len(volumes) != 1 ||
		volumes["w#0"].Size != 1 {
		t.Errorf("seen are %v, %v, %v", files, blobs, volumes)
	}
}

// TestWhatIsNoFileIsNotSeen has other things where small files, blobs and volumes are.
func TestWhatIsNoFileIsNotSeen(t *testing.T) {
	root := t.TempDir()
	at := func(path string) string { return filepath.Join(root, path) }
	for _, dir := range []string{"config", "persist/status/empty", blobsDir + "/" + sum(nil),
		clearDir + "/v#0.raw"} {
		must(t, os.MkdirAll(at(dir), 0o700))
	}
	must(t, os.Symlink("/etc/passwd", at("config/link")))
	must(t, os.Symlink("/etc/passwd", at(clearDir+"/w#0.raw")))
	must(t, os.WriteFile(at(clearDir+"/c#0.container"), nil, 0o600))
	must(t, os.WriteFile(at(clearDir+"/stray"), nil, 0o600))
	must(t, os.WriteFile(at(blobsDir+"/stray"), nil, 0o600))
	r := up(t, Options{Root: root})
	files, _ := rows(t, r, r.files)
	blobs, _ := rows(t, r, r.blobs)
	volumes, _ := rows(t, r, r.volumes)
	if len(files)+len(blobs)+len(volumes) > 0 {
		t.Errorf("seen are %v, %v, %v", files, blobs, volumes)
	}
	if _, err := r.readFile("/config/link"); err == nil {
		t.Error("a link is read")
	}
}

// TestWhatCannotBeReadIsNotAbsent boots with a disk of which parts cannot be read: no table that
// has to do with them is complete, until they can.
func TestWhatCannotBeReadIsNotAbsent(t *testing.T) {
	for broken, want := range map[string][3]bool{
		"/persist/status": {false, true, true},
		blobsDir:          {true, false, false},
		clearDir:          {true, false, false},
		"/nothing":        {true, true, true},
	} {
		t.Run(filepath.Base(broken), func(t *testing.T) {
			root := t.TempDir()
			at := filepath.Join(root, broken)
			must(t, os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, nil, 0o600))
			r := up(t, Options{Root: root})
			known := func() (out [3]bool) {
				_, out[0] = rows(t, r, r.files)
				_, out[1] = rows(t, r, r.blobs)
				_, out[2] = rows(t, r, r.volumes)
				return out
			}
			if got := known(); got != want {
				t.Errorf("files, blobs, volumes are complete: %v, want %v", got, want)
			}
			must(t, os.Remove(at), os.Mkdir(at, 0o700))
			r.lookAgain()
			if got := known(); got != [3]bool{true, true, true} {
				t.Errorf("later files, blobs, volumes are complete: %v", got)
			}
		})
	}
}
