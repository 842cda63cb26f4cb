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
package conform
