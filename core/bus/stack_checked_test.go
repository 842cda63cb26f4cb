//go:build race || msan || asan

package bus_test

// heapRows is how many rows of an equal put are moved to the heap: see onStack.
const heapRows = 1
