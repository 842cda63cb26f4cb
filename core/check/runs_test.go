package check

import (
	"testing"

	"github.com/evetwin/evetwin/core/device/store"
)

func TestOneRun(t *testing.T) {
	tp := start(t, oneRun())
	req := store.ReadReq{Path: "/config/server"}
	begin(tp, store.Read, "nim", "server", req)(&store.ReadRes{})
	end := begin(tp, store.Read, "nim", "server", req)
	begin(tp, store.Read, "zedagent", "server", req) // a query of another
	tp.keeps()
	tp.c.Crashed(tp, "nim")
	begin(tp, store.Read, "nim", "server", req)
	tp.breaks()
	end(nil)

	tp = start(t, oneRun())
	begin(tp, store.Read, "nim", "server", req)
	tp = tp.reboot(nil)
	begin(tp, store.Read, "nim", "server", req) // the power ended the other
	tp.keeps()
}
