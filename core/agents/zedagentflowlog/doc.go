// Package zedagentflowlog sends the flow log of applications to the controller. It runs and
// publishes as zedagent-flowlog.
//
//	in   zedrouter-flows/IPFlow              records of an interface
//	out  zedagent-flowlog/IPFlowTaken        up to which row they were taken
//	     zedagent-flowlog/FlowMessage        the queue: messages that are not sent yet
//	     zedagent-flowlog/FlowlogMetrics     what became of them
//	     zedagent-flowlog/MetricsMap         counters of its own exchanges
//	ops  those of package controllerconn
//
//	IPFlow ──room in the queue──▶ last of the queue ──▶ ... ──▶ first of the queue ──▶ sending
//	  │                                                              ▲                  │  │
//	  └──100 wait already──▶ dropped ◀──more than 90 wait──┐         │ 1, 2, 4 .. 128 s │  │
//	                                                       └─────────┴──────no 2xx──────┘  │
//	                                                                 gone ◀──2xx───────────┘
//
// Only the first message is sent; while the controller refuses it, whatever the reason, the others
// wait behind it. Nothing of the flow log outlives a reboot.
package zedagentflowlog
