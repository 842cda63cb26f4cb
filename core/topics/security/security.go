// Package security has the topics of certificates and keys. Private keys never are rows.
package security

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// CertType of an edge node certificate, with EVE's numbers.
type CertType uint8

// Types of edge node certificates.
const (
	CertOnboarding CertType = iota + 1
	CertRestrictedSigning
	CertEK
	CertECDHExchange
)

// EdgeNodeCert is a certificate of the device. Owner: tpmmgr. Persistent.
type EdgeNodeCert struct {
	CertID   string // hex of the first 16 bytes of SHA-256 over the PEM
	CertType CertType
	Cert     string // PEM
	IsTpm    bool
}

// Key is the certificate's id.
func (c EdgeNodeCert) Key() string { return c.CertID }

// EdgeNodeCerts is tpmmgr's topic.
var EdgeNodeCerts = bus.NewTopic[EdgeNodeCert](bus.Decl{
	Owner: "tpmmgr", Name: "EdgeNodeCert", Life: bus.Persistent})

// TpmStatus says where the device key lives. Owner: tpmmgr.
type TpmStatus struct {
	Ready    bool   // device key and certificate exist
	InTPM    bool   // the key lives in a TPM
	Kind     string // "device", "swtpm", "model", "none"
	Vendor   string
	CertHash string // lower-case hex of SHA-256 over the DER device certificate
	entity.ErrorAndTime
}

// Key is "global".
func (TpmStatus) Key() string { return entity.Global }

// Tpm is tpmmgr's topic.
var Tpm = bus.NewTopic[TpmStatus](bus.Decl{Owner: "tpmmgr", Name: "TpmStatus"})

// ControllerCert is a certificate of the controller. Owner: zedagent.
type ControllerCert struct {
	CertHash string // lower-case hex
	Type     uint8  // ZCertType
	HashAlgo uint8
	Cert     string // PEM exactly as received: envelopes hash these bytes
}

// Key is the hash.
func (c ControllerCert) Key() string { return c.CertHash }

// ControllerCerts holds the certificates in force: first fetched by zedclient, then kept by
// zedagent; the table of the owner that published last is not merged: zedagent's counts once it is
// complete.
var ControllerCerts = bus.NewFamily[ControllerCert](bus.Decl{
	Name: "ControllerCert"}, "zedagent", "zedclient")
