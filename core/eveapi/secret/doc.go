// Package secret keeps secrets away from agents. It takes them out of what reaches the device, puts
// references in their place, and finds them again for the parts that need them.
//
//	controller's answer, saved file ──▶ Keeper ──▶ the same with references ──▶ agent
//	                                      │
//	                                      └── values by reference, bytes by SHA-256 ──▶ parts
//
// A reference is "config:<uuid>:<field>:<tag>": which object of the configuration has the secret,
// in which field, and a tag that changes when the secret does. The tag is a hash of 16 bits under a
// key of the device: it tells that a secret is another, and is far too short to tell right guesses
// from wrong ones, should the key be known. Two values of one place never share a tag. So who
// sends another configuration, signed or not, cannot change what a reference in force stands for.
//
// A TPM has secrets of its own: what it unseals, agrees on with others and decrypts. Agents get
// "<origin>:<tag>" of those (Keeper.Made), the same for the same secret in every boot. They stay in
// the parts (Keeper.Reveal); all others are for the servers and guests that they are meant for.
//
// What a signature is over is lost with the secrets. The digest of the payload as it came goes
// along (security.Kept), and eveapi.OpenStripped verifies with it.
//
// The package is pure. A Keeper belongs to one boot of one device and to its loop; it is memory of
// the parts, lost with the power.
package secret
