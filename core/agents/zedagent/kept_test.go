package zedagent

import (
	"strings"
	"testing"

	eveconfig "github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/content"
)

const storeID = "44444444-0000-4000-8000-000000000001"

func withPassword(word string) func(*eveconfig.EdgeDevConfig) {
	return func(c *eveconfig.EdgeDevConfig) {
		c.Datastores = []*eveconfig.DatastoreConfig{{Id: storeID, Fqdn: "http://x",
			DType: eveconfig.DsType_DsHttp, Password: word}}
	}
}

// The datastore's row has a reference, which changes with the password and with nothing else; the
// disk has what came.
func TestPasswordsAreReferences(t *testing.T) {
	b := ready(t)
	var refs []string
	for i, word := range []string{"sesame", "sesame", "barley"} {
		cfg := edge(withPassword(word))
		cfg.DeviceName = "edge " + string(rune('a'+i))
		b.configure(cfg, "h"+cfg.DeviceName)
		ref := rig.Get(b.Rig, content.Datastores, storeID).Password
		if v, ok := b.keeper.Value(ref); !ok || v != word {
			t.Errorf("%q stands for %q, not %q", ref, v, word)
		}
		if !strings.Contains(string(b.files[configFile]), word) {
			t.Errorf("the saved configuration does not have %q", word)
		}
		refs = append(refs, ref)
	}
	if refs[0] != refs[1] || refs[1] == refs[2] {
		t.Errorf("references %q", refs)
	}
}

// A part that lost the bytes cannot save them: the controller has them.
func TestConfigurationThatNobodyHasIsAskedForAgain(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	b.next()
	left, kept := b.keeper.Answer(b.c.config(edge(withPassword("sesame")), "h2"))
	rig.Done(b.Rig, web.Send, configKey, web.SendRes{Code: 200, Body: left, Kept: kept, WithTLS: true,
		Header: []web.Header{{Name: "Content-Type", Value: eveapi.ContentType}}})
	b.Step()
	gone := agent.Fault{Code: store.FaultMissing, Text: "gone"}
	rig.Fail(b.Rig, store.Write, keyOf(configFile), gone)
	b.Step()
	if n := len(rig.Calls(b.Rig, store.Write)); n != 0 {
		t.Errorf("%d writes go on", n)
	}
	if hash := b.next(); hash != "" {
		t.Fatalf("asks for what differs from %q", hash)
	}
	b.answer("config", 200, b.c.config(edge(withPassword("sesame")), "h2"))
	if !strings.Contains(string(b.files[configFile]), "sesame") {
		t.Error("the configuration is not saved")
	}
}

// A payload that is signed and is no configuration is told of in the same words as ever, though the
// agent does not see it.
func TestSignedNonsenseIsNoConfiguration(t *testing.T) {
	b := ready(t)
	b.configure(edge(), "h1")
	nonsense := []byte("sesame \xff")
	_, _, err := eveapi.ParseConfigResponse(nonsense)
	b.next()
	b.answer("config", 200, b.c.Seal(nonsense))
	if s := b.status(); err == nil || !strings.Contains(s.Error, err.Error()) {
		t.Errorf("error %q, not %v", s.Error, err)
	}
}
