// Package partial is the folder of downloads that are not verified yet. The part web fills it, the
// part store takes whole downloads out of it; both have the same Dir.
//
// A download is two files: its bytes under the name of the target, and a record beside it, with
// the suffix ".progress", of how many of them are durable, what the server calls the content, how
// large the whole is and whether it is here. The record is written behind the bytes it tells of, so
// what it says is so:
//
//   - After a boot a download is as its record has it; bytes behind that are cut off, for nobody
//     knows whether they reached the disk.
//   - Bytes without a record that makes sense are nothing: the download begins anew.
//   - A download is whole only by Finish, when all of it is durable. Take moves it out; the bytes
//     are under one of the two names at any time.
//
// How a download goes on: Resume gives a Writer and its State; if Have is not 0 and there is a Tag,
// ask for the bytes from Have on, with Tag in If-Range; if the server sends all of it, or if there
// is no tag, Begin empties the download. Write appends and syncs every 8 MiB; Finish says that all
// has come; Close keeps what came, whether Finish was called or not. At the start, the part web
// lists the downloads when OnReady says so, and again after each OnTaken.
package partial
