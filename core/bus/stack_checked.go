//go:build race || msan || asan

package bus

import "unsafe"

// onStack hides nothing where pointers are checked: the checks themselves keep them on the heap,
// where a pointer into a stack is an error.
func onStack(p unsafe.Pointer) unsafe.Pointer { return p }
