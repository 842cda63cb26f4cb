// Package recording records runs of scenarios, for core/trace to read and core/trace/replay to
// replay, and proves on every scenario that a replay does what the run did.
package recording
