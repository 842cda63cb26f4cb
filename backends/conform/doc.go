// Package conform is the conformance suite of device parts: one set of checks per part, written
// against the ops and the Seen topics of core/device and nothing else, for every backend to run.
//
// A test brings a part in a Setup; the suite boots a device of that part alone in real time, calls
// its ops as an agent does, and looks at what an agent would see. The rules that hold for every
// part stand in core/device; what an op does stands in the package of its part.
//
//	                 asks                       ops
//	test ──▶ bench ──────▶ desk (the only agent) ────▶ part under test
//	           ▲                 │ ▲                       │
//	           └─── outcomes ────┘ └──── Seen rows ────────┘
//
// A suite is a list of cases, each with the clause of the contract it stands for. What is seen in a
// case (rows by topic, outcomes of calls) is written down, and a real part must show what its model
// shows. The last line of a run of this package says how many cases there are, how many ran on a
// real part, how many this machine cannot do, and how many differ; one that differs fails the run.
package conform
