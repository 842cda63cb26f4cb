// Package tracetest tests that a seed has one trace: whatever the number of cores, the machine's
// clock zone, folder, environment and memory settings, and wherever the program was built.
package tracetest
