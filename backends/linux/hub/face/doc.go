// Package face shows the tables of a hub as EVE lays its own out, to tools that know EVE:
//
//	/run/<agent>/<Topic>/<key>.json             a row; a "/" of its key is a "!"
//	/persist/status/<agent>/<Topic>/<key>.json  a row of a persistent topic
//	.../<Topic>/restarted                       how often its publisher has declared the topic whole
//	/run/<agent>/<Topic>.sock                   a socket to subscribe to the topic
//	/run/<agent>.sock                           the same for all topics of the agent
//
// The sockets are of type SOCK_SEQPACKET and speak EVE's protocol: the subscriber says `request`,
// and is answered with hello, an update for each key, complete and, if there is one, the restart
// counter; then with what moves, deletions first. What moves between two messages is sent once, as
// it is then.
//
// EVE: what it calls restarted is a publisher's word that its table is whole, Complete here.
//
// /run/monitor.sock is another one's: EVE's terminal UI connects there.
//
// All of it is to be read: the files are copies, which nobody reads back, and a subscriber that
// says anything more is cut off. Only root may connect.
package face
