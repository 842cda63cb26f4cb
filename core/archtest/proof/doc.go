// Package proof finds out which of the numbered behaviours have been proven, by which tests and
// where, from the output of go test -json.
//
// A behaviour is proven by a test that ran and passed and names it, TestAPI14_EqualCostRotation or
// TestAPI2_API3_Both or a subtest LAB11_SameSuite, or by a scenario that says so in its output:
//
//	covers: NET-12 API-13 host=virtual ok
//
// The package of a test says where it ran: on models (unit, virtual) or on real parts (live: a
// software TPM or processes of ours in real time; linux: a kernel; qemu: a guest). A scenario says
// it itself.
package proof
