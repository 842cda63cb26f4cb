// Package keep puts the disk of a simulated device into a folder, so that the device outlives the
// process: a device in real time with a data folder of the user's.
//
// The folder holds one file with all that is small, and a file for each blob and download. A save
// is seen whole or not at all: contents are written first, each under a name that says what it
// holds, then the small file that refers to them takes the place of the old one, then what nothing
// refers to any more is removed. What the files of /config hold is not kept: it comes from the
// inputs of each start.
package keep
