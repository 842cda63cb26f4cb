package zedagent

import (
	"errors"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/parse"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// start publishes the settings that the device starts with, long before it is onboarded: others
// need log levels and limits. It reports whether that is over.
func (x *turn) start() bool {
	if x.a.out.items.IsComplete() {
		return true
	}
	if !x.a.files.Complete() || !x.loadCerts() || !x.startItems() {
		return false
	}
	x.a.out.items.Complete()
	x.forget(rootFile, certsFile, certsFile+backup, configFile, configFile+backup, bootstrapFile,
		globalFile, keysFile)
	return true
}

// startItems takes the settings of the first source that has any.
func (x *turn) startItems() bool {
	for _, path := range []string{configFile, configFile + backup} {
		file, known := x.whole(path)
		if !known {
			return false
		}
		if cfg := x.openSaved(path, file); cfg != nil {
			x.takeItems(parse.Items(cfg.GetConfigItems()), true)
			return true
		}
	}
	if x.seen(configFile) == nil && x.seen(configFile+backup) == nil && x.seen(bootstrapFile) != nil {
		return x.startBootstrap()
	}
	items, known := x.globalItems()
	if !known {
		return false
	}
	if items != nil {
		x.takeItems(items, false)
		x.notTaken(globalFile, x.a.out.itemErrs.Get(entity.Global))
		return true
	}
	data, known := x.content(keysFile)
	if !known {
		return false
	}
	if len(data) > 0 {
		items = []config.Value{{Key: config.SSHAuthorizedKeys, Value: string(data)}}
	}
	x.takeItems(items, false)
	x.notTaken(keysFile, x.a.out.itemErrs.Get(entity.Global))
	return true
}

// startBootstrap takes what the installer put into the device to get it to its controller. Its
// presence disables the older files, good or bad.
func (x *turn) startBootstrap() bool {
	file, known := x.whole(bootstrapFile)
	root, rootKnown := x.content(rootFile)
	if !known || !rootKnown {
		return false
	}
	// A clock that was never set proves nothing about a certificate's end.
	opts := eveapi.CertOptions{}
	for _, c := range x.a.clock.All() {
		opts.Checkpointed = !c.Synced
	}
	cfg, err := openBootstrap(file, root, x.t.Wall, opts)
	if err != nil {
		x.light(node.LedInvalidBootstrap)
		x.spoiled("bootstrap configuration: " + err.Error())
		x.takeItems(nil, false)
		return true
	}
	x.apply(cfg, fromBootstrap)
	return true
}

// openBootstrap verifies and reads the file of the installer.
func openBootstrap(file *store.ReadRes, root []byte, now time.Time, opts eveapi.CertOptions) (
	*eveconfig.EdgeDevConfig, error,
) {
	if file == nil || file.Kept == nil {
		return nil, errors.New("it cannot be read")
	}
	if fault := secret.Refused(file.Kept); fault != nil {
		return nil, fault
	}
	cfg, err := eveapi.OpenStrippedBootstrap(file.Data, secret.Original(file.Kept), root, now, opts)
	if err == nil && file.Kept.Unread != "" {
		err = errors.New(file.Kept.Unread)
	}
	return cfg, err
}

// openSaved verifies and parses a saved answer of the controller, nil if it is not usable.
func (x *turn) openSaved(path string, file *store.ReadRes) *eveconfig.EdgeDevConfig {
	if file == nil || file.Kept == nil {
		return nil
	}
	payload, fault := x.a.conn.OpenKept(file.Data, file.Kept)
	if fault != nil {
		x.log(agent.Warn, path+": "+fault.Error())
		return nil
	}
	cfg, _, err := parsed(payload, file.Kept)
	if err != nil {
		x.log(agent.Warn, path+": "+err.Error())
		return nil
	}
	return cfg
}
