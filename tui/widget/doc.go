// Package widget has the pieces that pages are made of. All text is spans of lines, and a span
// can only be made of clean text: this is the one edge at which names, errors and rows of a
// device become something for a terminal, so control characters and escape sequences in them
// never reach one.
package widget
