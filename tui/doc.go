// Package tui is the terminal of a device: it shows what agents, tables and log do, live.
//
//	source/   where it comes from: a device in this process, a socket, a recorded story
//	style/    how it looks on terminals with few or many colours
//	widget/   lines, tables, boxes, bars; the edge at which text is made safe for a terminal
//	page/     one file or more for each page
//
// There is one tea.Model. Update only changes the model; waiting for the source and asking it for
// something happen in commands. Batches come at most twenty times a second and are drawn once each.
package tui
