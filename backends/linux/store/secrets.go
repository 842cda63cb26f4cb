package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/evetwin/evetwin/backends/kept"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// remembered is what a boot finds on the disk that the keeper has to know.
type remembered struct {
	lasting []secret.Lasting
	configs [len(kept.Configurations)][]byte
}

// remember reads it.
func (x *session) remember() (r remembered) {
	text, err := os.ReadFile(x.host(secretsFile))
	if err == nil {
		err = json.Unmarshal(text, &r.lasting)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.complain(fmt.Errorf("read what outlives configurations: %w", err))
	}
	for i, path := range kept.Configurations {
		r.configs[i], err = x.readFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			x.complain(fmt.Errorf("read configuration %s: %w", path, err))
		}
	}
	return r
}

// learn gives the keeper the secrets of the configurations on the disk, as a boot finds them:
// references that outlived it are known before any agent has read a file. It runs on the loop.
func (x *session) learn(r remembered) {
	x.lasting = r.lasting
	x.keeper.Recall(r.lasting)
	for i, path := range kept.Configurations {
		if len(r.configs[i]) > 0 {
			x.content(path, r.configs[i])
		}
	}
	if save := x.unsaved(); save != nil {
		x.begin(func() { x.complain(save()) })
	}
}

// content is what an agent is handed of a file. It runs on the loop.
func (x *session) content(path string, data []byte) (out device.ReadRes) {
	out = kept.Read(x.keeper, path, data)
	if out.Kept != nil {
		x.keeper.Hold(out.Kept.Sha256)
	}
	return out
}

// meant tells how to get what a write is to put into a file; false if nobody has it. It runs on the
// loop.
func (x *session) meant(q *device.WriteReq) (get func() ([]byte, error), known bool) {
	if q.Kept == "" {
		return func() ([]byte, error) { return q.Data, nil }, true
	}
	if data, ok := x.keeper.Bytes(q.Kept); ok {
		x.keeper.Hold(q.Kept)
		return func() ([]byte, error) { return data, nil }, true
	}
	for _, row := range x.files.All() {
		if row.Sha256 == q.Kept && !device.Private(row.Path) {
			return func() ([]byte, error) {
				data, err := x.readFile(row.Path)
				if err == nil && sum(data) != q.Kept {
					err = fs.ErrNotExist // it is another by now
				}
				return data, err
			}, true
		}
	}
	return nil, false
}

// unsaved is what makes secrets durable that have to outlive their configuration, nil if they are.
// It runs on the loop; what it returns does not. A list that is older than one on the disk is not
// written any more: the newer one was made of it.
func (x *session) unsaved() (save func() error) {
	list := x.keeper.Lasting()
	if slices.Equal(list, x.lasting) {
		return nil
	}
	x.lasting = list
	x.lists++
	n := x.lists
	return func() error {
		x.secrets.Lock()
		defer x.secrets.Unlock()
		if n < x.savedList {
			return nil
		}
		text, err := json.Marshal(list)
		if err == nil {
			err = x.makeUp(filepath.Dir(x.host(secretsFile)))
		}
		if err == nil {
			err = x.o.Disk.Write(x.host(secretsFile), text, 0o600)
		}
		if err != nil {
			x.post(func() { x.lasting = nil }) // so that the next call tries again
			return fmt.Errorf("save what outlives configurations: %w", err)
		}
		x.savedList = n
		return nil
	}
}
