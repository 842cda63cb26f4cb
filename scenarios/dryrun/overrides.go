package dryrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/core/eveapi/readjson"
)

// overridesDir is the folder of overrides beside a configuration.
const overridesDir = "config-overrides"

// Limits of a folder of overrides.
const (
	maxOverrides = 64
	maxOverride  = 1 << 20 // bytes
)

// readOverrides reads the files for /config.
func (in *Inputs) readOverrides(o Options) error {
	dir := o.Overrides
	if dir == "" {
		if o.Config == "" {
			return nil
		}
		dir = filepath.Join(filepath.Dir(o.Config), overridesDir)
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			return nil
		}
	}
	if st, err := os.Stat(dir); err != nil {
		return refuse("%s: %v", dir, cause(err))
	} else if !st.IsDir() {
		return refuse("%s: it is not a folder", dir)
	}
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return refuse("%s: %v", path, cause(err))
		case e.IsDir() && filepath.Ext(path) != "" && path != dir:
			return refuse("%s: it is a folder", path)
		case e.IsDir():
			return nil
		case len(in.Files) == maxOverrides:
			return refuse("%s: there are more than %d files", dir, maxOverrides)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return refuse("%s: %v", path, err)
		}
		return in.override(path, filepath.ToSlash(name))
	})
}

// override takes one file in.
func (in *Inputs) override(path, name string) error {
	if belongs(name) {
		in.Notes = append(in.Notes, path+": not used, the bundled controller takes the place of yours")
		return nil
	}
	data, err := load(path)
	if err != nil {
		return err
	}
	if len(data) > maxOverride {
		return refuse("%s: %d bytes exceed the limit of %d", path, len(data), maxOverride)
	}
	if strings.HasSuffix(name, ".json") {
		if err := checkJSON(data); err != nil {
			return refuse("%s: %v", path, err)
		}
	}
	in.Files = append(in.Files, File{Name: name, Source: path, Data: data})
	return nil
}

// belongs tells whether a file of /config says who the controller is or who the device is: in a dry
// run both are the bundled ones.
func belongs(name string) bool {
	switch name {
	case "server", "root-certificate.pem", "soft_serial":
		return true
	}
	return strings.HasSuffix(name, ".cert.pem") || strings.HasSuffix(name, ".key.pem") ||
		strings.HasPrefix(name, "v2tlsbaseroot-certificates")
}

// checkJSON tells where a file stops to be a JSON object.
func checkJSON(data []byte) error {
	text, err := readjson.Text(data)
	switch {
	case err != nil:
		return err
	case len(text) < len(data):
		return errors.New("line 1: it begins with a byte order mark, which a device does not read")
	case len(data) == 0:
		return errors.New("line 1: it is empty")
	}
	var object map[string]json.RawMessage
	err = json.Unmarshal(data, &object)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		line := 1 + strings.Count(string(data[:min(int(syntax.Offset), len(data))]), "\n")
		return fmt.Errorf("line %d: it is not JSON: %s", line, syntax.Error())
	case errors.As(err, &wrong):
		return errors.New("line 1: it is not a JSON object")
	}
	return err
}
