package controllersim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const lateApp = "3c2a6c4e-43d2-4d43-9c5c-7c8a5f8e0001"

// stampedInfo is a message of an application made at a time.
func stampedInfo(t *testing.T, device string, at time.Time, state info.ZSwState) []byte {
	t.Helper()
	b, err := eveapi.InfoBody(&info.ZInfoMsg{AtTimeStamp: timestamppb.New(at)})
	if err != nil {
		t.Fatal(err)
	}
	return append(appInfo(t, device, lateApp, state), b...)
}

// A request that is late is handled behind a newer one, and the newer one stays what is known.
func TestRequestsThatOvertakeEachOther(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	var sent controllersim.Request
	d.Send = func(r controllersim.Request) (controllersim.Response, error) {
		sent = r
		return c.Handle(noon, r), nil
	}
	state := func() info.ZSwState { return d.record().AppInfo(lateApp).GetState() }
	during(t, c, controllersim.Fault{Kind: controllersim.FaultLate, Delay: time.Minute}, func() {
		r := d.post(eveapi.Info, stampedInfo(t, d.UUID, noon, info.ZSwState_BOOTING))
		if !r.Broken || len(r.Body) != 0 || r.Again != time.Minute || state() != 0 {
			t.Errorf("held back: %+v, known is %v", r, state())
		}
		late := sent
		late.Late = true // nothing holds it back a second time
		newer := stampedInfo(t, d.UUID, noon.Add(time.Second), info.ZSwState_RUNNING)
		if r := d.post(eveapi.Info, newer); r.Code != http.StatusCreated {
			t.Fatalf("the newer one: %+v", r)
		}
		if r := c.Handle(noon, late); r.Code != http.StatusCreated || r.Again != 0 {
			t.Errorf("the late one: %+v", r)
		}
	})
	list := d.record().ReportsSince(eveapi.Info, 0)
	if len(list) != 2 || list[0].Old || !list[1].Old || state() != info.ZSwState_RUNNING {
		t.Errorf("%d messages, known is %v", len(list), state())
	}
}

// What was answered comes once more.
func TestRequestsThatComeOnceMore(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	during(t, c, controllersim.Fault{Kind: controllersim.FaultAgain, Delay: time.Second}, func() {
		r := d.post(eveapi.Info, stampedInfo(t, d.UUID, noon, info.ZSwState_BOOTING))
		if r.Code != http.StatusCreated || r.Broken || r.Again != time.Second {
			t.Errorf("answered: %+v", r)
		}
	})
}

// Which message is the newer one is a matter of stamps, unless the device's clock was set.
func TestStampsOrderMessages(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	at := noon
	for _, x := range []struct {
		step time.Duration // from the newest stamp
		news bool
	}{
		{0, true}, {0, true}, {time.Second, true}, {-time.Second, false}, {-eveapi.LateBy, false},
		{-eveapi.LateBy - 1, true}, {10 * 365 * 24 * time.Hour, true}, {-9 * 365 * 24 * time.Hour, true},
	} {
		stamp := at.Add(x.step)
		before := d.record().LastSeq()
		d.post(eveapi.Info, stampedInfo(t, d.UUID, stamp, info.ZSwState_RUNNING))
		last, _ := d.record().Last(eveapi.Info, info.ZInfoTypes_ZiApp, lateApp)
		if news := last.Seq == before+1; news != x.news {
			t.Errorf("%v from the newest stamp: news %v", x.step, news)
		}
		if x.news {
			at = stamp
		}
	}
	d.post(eveapi.Info, appInfo(t, d.UUID, lateApp, info.ZSwState_HALTED))
	if s := d.record().AppInfo(lateApp).GetState(); s != info.ZSwState_HALTED {
		t.Errorf("a message without a stamp counts for nothing: %v is known", s)
	}
}
