package nim

import (
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Files that decide where the first port configuration comes from.
const (
	lastConfig    = "/persist/checkpoint/lastconfig"
	bootstrapFile = "/config/bootstrap-config.pb"
	portFileDir   = "/config/DevicePortConfig/"
	rereadAfter   = 10 // seconds
)

// source is where a device finds its first port configuration.
type source uint8

const (
	sourceNone      source = iota // nowhere: last resort
	sourceSaved                   // in a configuration of the controller that was saved
	sourceBootstrap               // in a bootstrap configuration, which zedagent reads
	sourceFiles                   // in files of the installer
)

// source follows the order of precedence: a saved configuration beats a bootstrap configuration,
// which beats files.
func (s *sheet) source() source {
	switch {
	case s.holds(lastConfig) || s.holds(lastConfig+".bak"):
		return sourceSaved
	case s.holds(bootstrapFile):
		return sourceBootstrap
	}
	for _, f := range s.n.files.All() {
		if isPortFile(f.Path) {
			return sourceFiles
		}
	}
	return sourceNone
}

func (s *sheet) holds(path string) bool {
	f := s.n.files.Get(store.FileKey(path))
	return f != nil && f.Size > 0
}

func isPortFile(path string) bool {
	name, found := strings.CutPrefix(path, portFileDir)
	return found && strings.HasSuffix(name, ".json") && !strings.Contains(name, "/")
}

// takeFiles takes in the files of the installer, if they count. What became of one stands in its
// row, so that it is looked at once, also if nim crashes.
func (s *sheet) takeFiles() {
	for key, f := range s.n.files.All() {
		if !isPortFile(f.Path) {
			continue
		}
		if old := s.n.ingested.Get(key); old != nil && old.Sha256 == f.Sha256 && s.settled(old) {
			continue
		}
		row := network.PortConfigFile{Path: f.Path, Sha256: f.Sha256}
		switch s.source() {
		case sourceSaved:
			row.Ignored = "the device has a configuration of its controller"
		case sourceBootstrap:
			row.Ignored = "there is a bootstrap configuration"
		default:
			if !s.takeFile(f, &row) {
				s.reading = true
				continue
			}
		}
		s.n.ingested.Put(row)
	}
}

// settled reports whether a file needs no second look; only reading it may go better later.
func (s *sheet) settled(row *network.PortConfigFile) bool { return row.ErrorRetryCondition == "" }

// takeFile reads a file and takes in what it says; false while it is being read.
func (s *sheet) takeFile(f *store.FileSeen, row *network.PortConfigFile) bool {
	if f.Size > maxPortFile {
		s.refuse(row, f.Path+": "+tooLarge(f.Size).Error(), "")
		return true
	}
	key := "port/" + f.Key()
	call := s.n.read.Want(key, store.ReadReq{Path: f.Path, Sha256: f.Sha256})
	switch call.Phase {
	case agent.Failed:
		if again := call.Ended + rereadAfter*1e9; s.t.Now < again {
			s.t.WakeAt(key, again)
		} else {
			s.n.read.Redo(key)
		}
		s.refuse(row, "read "+f.Path+": "+call.Fault.Text, "it is read again every 10 s")
		return true
	case agent.Done:
		base := strings.TrimSuffix(strings.TrimPrefix(f.Path, portFileDir), ".json")
		d, err := parsePortFile(call.Res.Data, base)
		s.n.read.Drop(key)
		if err != nil {
			s.refuse(row, f.Path+": "+err.Error(), "")
			return true
		}
		row.DPCKey = d.DPCKey
		s.add(d)
		return true
	}
	return false
}

func (s *sheet) refuse(row *network.PortConfigFile, text, retry string) {
	if old := s.n.ingested.Get(row.Key()); old != nil {
		row.ErrorAndTime = old.ErrorAndTime
	}
	row.Set(entity.ErrorDescription{Error: text, ErrorRetryCondition: retry,
		ErrorSeverity: entity.SeverityError}, s.t.Wall)
}
