// Package zedrouterflows collects the flow log of network instances. It runs and publishes as
// zedrouter-flows.
//
//	in   bridge/RecordsSeen                whether there may be something
//	     zedmanager/AppNetworkConfig       names of access rules
//	     zedagent-flowlog/IPFlowTaken      which rows may go
//	out  zedrouter-flows/IPFlow            records of an interface, as they make a message
//	     zedrouter-flows/FlowCursor        up to where records of the part are in rows
//	op   bridge.Flows
//
//	         there may be something
//	idle ──────────────────────────▶ waiting ──108 to 120 s──▶ collecting
//	  ▲                              │  ▲                       │  │  ▲ │
//	  └──────nothing any more────────┤  └──────all there────────┘  │  └─┘ more, and room for it
//	                                 └◀────────────────────────────┘
//
// The part keeps records until a mark behind them is given. The mark is put in the same turn as the
// rows, so that a crash loses nothing and doubles nothing. While too many rows wait to be taken
// none are added; the part keeps the rest.
package zedrouterflows
