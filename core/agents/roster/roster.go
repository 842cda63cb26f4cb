// Package roster lists the agents of a device. It is the only package that imports them all.
package roster

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/client"
	"github.com/evetwin/evetwin/core/agents/diag"
	"github.com/evetwin/evetwin/core/agents/domainmgr"
	"github.com/evetwin/evetwin/core/agents/downloader"
	"github.com/evetwin/evetwin/core/agents/ledmanager"
	"github.com/evetwin/evetwin/core/agents/monitor"
	"github.com/evetwin/evetwin/core/agents/msrv"
	"github.com/evetwin/evetwin/core/agents/nim"
	"github.com/evetwin/evetwin/core/agents/nodeagent"
	"github.com/evetwin/evetwin/core/agents/tpmmgr"
	"github.com/evetwin/evetwin/core/agents/verifier"
	"github.com/evetwin/evetwin/core/agents/volumemgr"
	"github.com/evetwin/evetwin/core/agents/waitforaddr"
	"github.com/evetwin/evetwin/core/agents/zedagent"
	"github.com/evetwin/evetwin/core/agents/zedagentflowlog"
	"github.com/evetwin/evetwin/core/agents/zedagentinfo"
	"github.com/evetwin/evetwin/core/agents/zedagentmetrics"
	"github.com/evetwin/evetwin/core/agents/zedmanager"
	"github.com/evetwin/evetwin/core/agents/zedrouter"
	"github.com/evetwin/evetwin/core/agents/zedrouterflows"
)

// Agents are all agents in the order in which EVE starts them. The order has no effect on what they
// do: each waits for what it needs by itself. Agents that follow each blob, network
// or application through all its states declare what hundreds of them take in a minute.
func Agents() []agent.Entry {
	return []agent.Entry{
		{Name: "diag", New: diag.New},
		{Name: "monitor", New: monitor.New},
		{Name: "zedagent", New: zedagent.New},
		{Name: "zedagent-info", New: zedagentinfo.New, Turns: 4000},
		{Name: "zedagent-metrics", New: zedagentmetrics.New},
		{Name: "zedagent-flowlog", New: zedagentflowlog.New, Turns: 4000},
		{Name: "ledmanager", New: ledmanager.New},
		{Name: "nim", New: nim.New},
		{Name: "nodeagent", New: nodeagent.New},
		{Name: "domainmgr", New: domainmgr.New},
		{Name: "tpmmgr", New: tpmmgr.New},
		{Name: "zedmanager", New: zedmanager.New, Turns: 3000},
		{Name: "zedrouter", New: zedrouter.New, Turns: 4000},
		{Name: "zedrouter-flows", New: zedrouterflows.New},
		{Name: "msrv", New: msrv.New, Turns: 4000},
		{Name: "downloader", New: downloader.New, Turns: 4000},
		{Name: "verifier", New: verifier.New, Turns: 4000},
		{Name: "volumemgr", New: volumemgr.New, Turns: 6000},
		{Name: "waitforaddr", New: waitforaddr.New},
		{Name: "zedclient", New: client.New},
	}
}
