package controllersim_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
)

// during arms a fault while do runs.
func during(t *testing.T, c *controllersim.Controller, f controllersim.Fault, do func()) {
	t.Helper()
	f.Name = "f"
	if err := c.SetFault(f); err != nil {
		t.Fatal(err)
	}
	do()
	if !c.ClearFault("f") {
		t.Errorf("%s is not there any more", f.Kind)
	}
}

func TestConnectionsThatEnd(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	body := appInfo(t, d.UUID, "3c2a6c4e-43d2-4d43-9c5c-7c8a5f8e0001", info.ZSwState_RUNNING)
	reports := func() int { return d.record().Count(eveapi.Info) }
	before := reports()
	during(t, c, controllersim.Fault{Kind: controllersim.FaultUnread}, func() {
		if r := d.post(eveapi.Info, body); !r.Broken || reports() != before {
			t.Errorf("unread: %+v, %d requests were counted", r, reports()-before)
		}
	})
	during(t, c, controllersim.Fault{Kind: controllersim.FaultClose}, func() {
		if r := d.post(eveapi.Info, body); !r.Broken || reports() != before+1 {
			t.Errorf("closed: %+v, %d requests were counted", r, reports()-before)
		}
	})
	if r := d.post(eveapi.Info, body); r.Broken || r.Code != http.StatusCreated {
		t.Errorf("healed: %+v", r)
	}
}

func TestRequestsHandledTwice(t *testing.T) {
	c := newController(t)
	d, other := newDevice(t, c, "1"), newDevice(t, c, "2")
	d.onboardFully()
	during(t, c, controllersim.Fault{Kind: controllersim.FaultTwice}, func() {
		if code := other.register(); code != http.StatusOK { // the repetition of a registration
			t.Errorf("registered twice: %d", code)
		}
	})
	body := appInfo(t, d.UUID, "3c2a6c4e-43d2-4d43-9c5c-7c8a5f8e0001", info.ZSwState_RUNNING)
	before := d.record().LastSeq()
	during(t, c, controllersim.Fault{Kind: controllersim.FaultTwice}, func() {
		d.post(eveapi.Info, body)
	})
	if n := d.record().LastSeq() - before; n != 2 {
		t.Errorf("a request that is handled twice left %d reports", n)
	}
}

func TestAnswersThatComeAgain(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	ask := func() []byte { return d.post(eveapi.UUID, nil).Body }
	fresh := ask()
	during(t, c, controllersim.Fault{Kind: controllersim.FaultRepeat}, func() {
		first := ask()
		if err := c.Rotate(); err != nil {
			t.Fatal(err)
		}
		if again := ask(); !bytes.Equal(first, again) || !bytes.Equal(first, fresh) {
			t.Error("the answer from before the rotation does not come again")
		}
	})
	if bytes.Equal(ask(), fresh) {
		t.Error("the old answer still comes")
	}
	during(t, c, controllersim.Fault{Kind: controllersim.FaultRepeat}, func() {
		if bytes.Equal(ask(), fresh) {
			t.Error("an answer from an earlier fault comes again")
		}
	})
}
