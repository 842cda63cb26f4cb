// Package zedrouterflows collects the flow log of network instances. It runs and publishes as
// zedrouter-flows.
//
//	in   zedrouter/NetworkInstanceStatus   which instances have a flow log
//	     zedrouter/AppNetworkStatus        applications on them
//	     zedmanager/AppNetworkConfig       names of access rules
//	     zedagent-flowlog/IPFlowTaken      which rows may go
//	out  zedrouter-flows/IPFlow            records of an interface, as they make a message
//	     zedrouter-flows/FlowCursor        up to where records of the part are in rows
//	op   bridge.Flows
//
//	         an application on an instance
//	idle ────with a flow log──────────────▶ waiting ──108 to 120 s──▶ collecting
//	  ▲                                        ▲                          │   │ more, and
//	  │                                        └──────────────all there───┤   │ room for it
//	  └──none any more, and what was left is collected────────────────────┘◀──┘
//
// The part keeps records until a mark behind them is given. The mark is put in the same turn as the
// rows, so that a crash loses nothing and doubles nothing. While too many rows wait to be taken
// none are added; the part keeps the rest.
package zedrouterflows
