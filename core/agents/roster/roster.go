// Package roster lists the agents of a device. It is the only package that imports them all.
package roster

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/client"
	"github.com/evetwin/evetwin/core/agents/nim"
	"github.com/evetwin/evetwin/core/agents/tpmmgr"
)

// Agents are all agents in the order in which EVE starts them. The order has no effect on what they
// do: each waits for what it needs by itself.
func Agents() []agent.Entry {
	return []agent.Entry{
		{Name: "nim", New: nim.New},
		{Name: "tpmmgr", New: tpmmgr.New},
		{Name: "zedclient", New: client.New},
	}
}
