package keep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// Names in the folder.
const (
	indexFile  = "disk.json"
	contentDir = "content"
)

// format is the version of the layout; fields may be added without another one.
const format = 1

// configDir is what the inputs of each start bring along.
const configDir = "/config/"

// Folder is where a disk is kept. Its methods are for one goroutine at a time.
type Folder struct {
	dir   string
	saved []byte // the index as it is on the disk
}

// Open names a folder, which is made if need be.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(dir, contentDir), 0o700); err != nil {
		return nil, fmt.Errorf("keep the disk in %s: %w", dir, err)
	}
	return &Folder{dir: dir}, nil
}

// index is what the small file holds.
type index struct {
	Format          int                     `json:"format"`
	Total, Reserved int64                   `json:",omitempty"`
	Files           map[string][]byte       `json:",omitempty"`
	Blobs           map[string]content      `json:",omitempty"`
	Partials        map[string]partial      `json:",omitempty"`
	Volumes         map[string]*disk.Volume `json:",omitempty"`
	Secrets         []secret.Lasting        `json:",omitempty"`
	Boot            disk.BootRecord
	Tpm             disk.TpmRecord
}

// content is a blob or download without its bytes; File holds them, "" if they stay unmade.
type content struct {
	Size     int64
	Digest   string `json:",omitempty"`
	Modelled bool   `json:",omitempty"`
	File     string `json:",omitempty"`
}

type partial struct {
	content
	Whole, Durable int64
	Tag            string `json:",omitempty"`
	Done           bool   `json:",omitempty"`
}

// Load reads the disk that is kept, nil if there is none. Content whose file is not as long as it
// should be is left out, as if it had never come.
func (f *Folder) Load() (*disk.Disk, error) {
	text, err := os.ReadFile(filepath.Join(f.dir, indexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the disk: %w", err)
	}
	var x index
	if err := json.Unmarshal(text, &x); err != nil {
		return nil, fmt.Errorf("read the disk from %s: %w", filepath.Join(f.dir, indexFile), err)
	}
	if x.Format != format {
		return nil, fmt.Errorf("read the disk from %s: format %d, want %d", f.dir, x.Format, format)
	}
	f.saved = text
	d := disk.New(x.Total, x.Reserved)
	d.Boot, d.Tpm, d.Secrets = x.Boot, x.Tpm, x.Secrets
	for path, data := range x.Files { //order: each goes to its own key
		d.Put(path, data)
	}
	for sha, c := range x.Blobs { //order: each goes to its own key
		if got, ok := f.read(c); ok {
			d.Blobs[sha] = got
		}
	}
	for target, p := range x.Partials { //order: each goes to its own key
		if got, ok := f.read(p.content); ok {
			d.Partials[target] = &disk.Partial{Content: got, Whole: p.Whole, Durable: p.Durable,
				Tag: p.Tag, Done: p.Done}
		}
	}
	for key, v := range x.Volumes { //order: each goes to its own key
		d.Volumes[key] = v
	}
	return d, nil
}

func (f *Folder) read(c content) (disk.Content, bool) {
	out := disk.Content{Size: c.Size, Digest: c.Digest, Modelled: c.Modelled}
	if c.File == "" {
		return out, true
	}
	data, err := os.ReadFile(filepath.Join(f.dir, contentDir, filepath.Base(c.File)))
	if err != nil || int64(len(data)) != c.Size {
		return out, false
	}
	out.Data = data
	return out, true
}

// State is a disk at an instant. It shares the bytes of contents with the disk, which never change.
type State struct {
	index index
	bytes map[string][]byte // by file
}

// Take notes the state of a disk. It is called where the disk may be used.
func Take(d *disk.Disk) *State {
	s := &State{bytes: map[string][]byte{}, index: index{Format: format, Total: d.Total,
		Reserved: d.Reserved, Files: map[string][]byte{}, Blobs: map[string]content{},
		Partials: map[string]partial{}, Volumes: map[string]*disk.Volume{}, Boot: d.Boot, Tpm: d.Tpm,
		Secrets: d.Secrets}}
	for path, file := range d.Files { //order: each goes to its own key
		if !strings.HasPrefix(path, configDir) {
			s.index.Files[path] = file.Data
		}
	}
	for sha, c := range d.Blobs { //order: each goes to its own key
		s.index.Blobs[sha] = s.content("blob/"+sha, c)
	}
	for target, p := range d.Partials { //order: each goes to its own key
		name := "partial/" + target + "/" + p.Tag + "/" + strconv.FormatInt(p.Size, 10)
		s.index.Partials[target] = partial{s.content(name, p.Content), p.Whole, p.Durable, p.Tag, p.Done}
	}
	for key, v := range d.Volumes { //order: each goes to its own key
		one := *v
		s.index.Volumes[key] = &one
	}
	s.index.Boot.Partitions = append([]disk.Partition(nil), d.Boot.Partitions...)
	s.index.Tpm.NV = maps.Clone(d.Tpm.NV)
	return s
}

// content notes a content under a name that says what its bytes are.
func (s *State) content(name string, c disk.Content) content {
	out := content{Size: c.Size, Digest: c.Digest, Modelled: c.Modelled}
	if int64(len(c.Data)) == c.Size {
		sum := sha256.Sum256([]byte(name))
		out.File = hex.EncodeToString(sum[:])
		s.bytes[out.File] = c.Data
	}
	return out
}

// Save makes a state durable. A state that is kept already costs nothing.
func (f *Folder) Save(s *State) error {
	text, err := json.Marshal(s.index)
	if err != nil {
		return fmt.Errorf("keep the disk: %w", err)
	}
	if bytes.Equal(text, f.saved) {
		return nil
	}
	if err := f.save(s, text); err != nil {
		return fmt.Errorf("keep the disk in %s: %w", f.dir, err)
	}
	f.saved = text
	return nil
}

func (f *Folder) save(s *State, text []byte) error {
	dir := filepath.Join(f.dir, contentDir)
	for _, name := range disk.Keys(s.bytes) {
		path := filepath.Join(dir, name)
		if i, err := os.Stat(path); err == nil && i.Size() == int64(len(s.bytes[name])) {
			continue
		}
		if err := renameio.WriteFile(path, s.bytes[name], 0o600, renameio.WithTempDir(dir)); err != nil {
			return err
		}
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	err := renameio.WriteFile(filepath.Join(f.dir, indexFile), text, 0o600,
		renameio.WithTempDir(f.dir))
	if err == nil {
		err = syncDir(f.dir)
	}
	if err != nil {
		return err
	}
	have, err := os.ReadDir(dir)
	for _, e := range have {
		if _, used := s.bytes[e.Name()]; !used {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
