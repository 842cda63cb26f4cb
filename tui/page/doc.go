// Package page has the pages of the terminal. A page keeps what is selected and where its views
// stand; everything else it draws from a Stage. It reads no clock and does no input or output.
package page
