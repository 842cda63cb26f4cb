// Package verifier is the agent that hashes what was downloaded. It has no network and decides
// nothing about what to do with a file that is wrong: it says what it computed.
//
//	in   volumemgr/VerifyImageConfig   which partial file is to have which hash
//	in   store/BlobSeen                what is in the content store, so verified already
//	out  verifier/VerifyImageStatus    VERIFYING, VERIFIED, or the error
//	op   store.Verify                  hash a partial and move it into the content store, in one
//
// A row per blob goes
//
//	config ──▶ VERIFYING ──hash as configured──▶ VERIFIED
//	               │ ╲──another hash──▶ error "computed … configured …"
//	               ╰──the disk failed──▶ error, tried again after a minute
//
// Release is a handshake, as with the downloader: volumemgr sets RefCount to 0, the status answers
// with Expired, volumemgr withdraws the config, the status goes.
package verifier
