// Package uptest tests "evetwin up" as people use it: the program itself in a process of its own,
// with signals, other processes beside it, a killed parent. Each test gives the program folders of
// its own for state, sockets and temporary files, marks its environment, and finds nothing in those
// folders and no process with the mark when the program has ended.
package uptest
