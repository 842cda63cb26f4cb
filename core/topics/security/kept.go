package security

// Kept is what is known of bytes whose secrets a part of the device kept back: an answer of the
// controller, a saved configuration, an answer of a token server. The agent is given what is left,
// with references in place of the secrets. It is part of outcomes of calls, not a row.
type Kept struct {
	// Sha256 is of all bytes as they came, lower-case hex; store.WriteReq.Kept names them by it.
	Sha256 string
	Size   int64 // bytes, as they came
	// Payload is the SHA-256 of the payload that a signature is over, PayloadSize its length in
	// bytes, both as it came.
	Payload     [32]byte
	PayloadSize int
	// Refused says why the envelope is none that anybody could verify, whatever the certificates;
	// nothing of it is handed out then. Nil: it is an envelope.
	Refused *Refusal
	// Unread says why the payload is not what it should be; it is empty then, and its signature can be
	// verified all the same.
	Unread string
	// Token is the reference of the token in the answer of a token server, empty if there is none.
	Token string
}

// Refusal is why an envelope is refused: an eveapi.Code and the text for people.
type Refusal struct {
	Code uint8
	Text string
}
