package eveapi

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/lf-edge/eve-api/go/register"
)

// Bounds of a register request.
const (
	minRegisterCert = 100
	maxRegisterCert = 10240
	maxSerial       = 256
)

// Registration is what a device says of itself when it registers.
type Registration struct {
	// CertPEM is the device certificate's PEM file.
	CertPEM []byte
	// Serial is the product serial, at most 256 bytes.
	Serial string
	// SoftSerial is the serial of /config/soft_serial: letters, digits, '_' and '-', at most 256.
	SoftSerial string
}

// RegisterBody builds the payload of a register request; serials are trimmed of white space.
func RegisterBody(r Registration) ([]byte, error) {
	r.Serial, r.SoftSerial = strings.TrimSpace(r.Serial), strings.TrimSpace(r.SoftSerial)
	msg := &register.ZRegisterMsg{
		PemCert:    []byte(base64.StdEncoding.EncodeToString(r.CertPEM)),
		Serial:     r.Serial,
		SoftSerial: r.SoftSerial,
	}
	if err := checkRegister(msg); err != nil {
		return nil, err
	}
	return Marshal(msg)
}

// ParseRegister parses and validates the payload of a register request.
func ParseRegister(payload []byte) (Registration, error) {
	msg := &register.ZRegisterMsg{}
	if err := Unmarshal(payload, msg); err != nil {
		return Registration{}, err
	}
	if err := checkRegister(msg); err != nil {
		return Registration{}, err
	}
	text, err := base64.StdEncoding.DecodeString(string(msg.GetPemCert()))
	if err != nil {
		return Registration{}, fmt.Errorf("register: pemCert is not base64: %w", err)
	}
	return Registration{CertPEM: text, Serial: msg.GetSerial(), SoftSerial: msg.GetSoftSerial()}, nil
}

func checkRegister(m *register.ZRegisterMsg) error {
	if n := len(m.GetPemCert()); n < minRegisterCert || n > maxRegisterCert {
		return fmt.Errorf("register: pemCert of %d bytes, want %d to %d",
			n, minRegisterCert, maxRegisterCert)
	}
	if n := len(m.GetSerial()); n > maxSerial {
		return fmt.Errorf("register: serial of %d bytes, want at most %d", n, maxSerial)
	}
	if n := len(m.GetSoftSerial()); n > maxSerial {
		return fmt.Errorf("register: softSerial of %d bytes, want at most %d", n, maxSerial)
	}
	for _, c := range m.GetSoftSerial() {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return fmt.Errorf("register: softSerial %q holds %q", m.GetSoftSerial(), c)
		}
	}
	return nil
}

// DeviceCert is a device's or an onboarding certificate with its key parsed.
type DeviceCert struct {
	// Hash is DeviceCertHash of the certificate.
	Hash [32]byte
	// Name is the common name of the subject.
	Name string
	// Key is the public key that signs for it.
	Key *ecdsa.PublicKey
}

// ParseDeviceCert parses a device or onboarding certificate in PEM. Neither its chain nor its
// validity matters: a controller knows these certificates one by one.
func ParseDeviceCert(certPEM []byte) (DeviceCert, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return DeviceCert{}, fmt.Errorf("parse device certificate: %d bytes are not a certificate in PEM",
			len(certPEM))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return DeviceCert{}, fmt.Errorf("parse device certificate: %w", err)
	}
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return DeviceCert{}, fmt.Errorf("parse device certificate %s: key is %T, want ECDSA",
			cert.Subject, cert.PublicKey)
	}
	return DeviceCert{
		Hash: [32]byte(DeviceCertHash(block.Bytes)), Name: cert.Subject.CommonName, Key: key,
	}, nil
}

// SenderPEM is the onboarding certificate's PEM out of a register envelope.
func (e Envelope) SenderPEM() ([]byte, error) {
	if len(e.SenderCert) == 0 {
		return nil, fmt.Errorf("envelope has no senderCert")
	}
	text, err := base64.StdEncoding.DecodeString(string(e.SenderCert))
	if err != nil {
		return nil, fmt.Errorf("senderCert is not base64: %w", err)
	}
	return text, nil
}

// VerifyDevice checks an envelope that a device sent against its certificate. Devices sign
// r||s; the ASN.1 form is taken as well, since controllers in the field do, and reported.
func (e Envelope) VerifyDevice(key *ecdsa.PublicKey) (asn1 bool, fault *Fault) {
	return e.VerifyDeviceBy(VerifyRaw, key)
}

// VerifyDeviceBy is VerifyDevice by another VerifyRaw, which knows answers by heart, say.
func (e Envelope) VerifyDeviceBy(raw func(*ecdsa.PublicKey, [32]byte, []byte) bool,
	key *ecdsa.PublicKey,
) (asn1 bool, fault *Fault) {
	digest := Digest(e.Payload)
	if raw(key, digest, e.Signature) {
		return false, nil
	}
	if len(e.Signature) > 0 && e.Signature[0] == 0x30 &&
		ecdsa.VerifyASN1(key, digest[:], e.Signature) {
		return true, nil
	}
	return false, faultf(SignVerifyFail,
		"signature of %d bytes does not match the payload of %d bytes",
		len(e.Signature), len(e.Payload))
}

// CheckDeviceNaming refuses a device's envelope that does not name its certificate as API version 2
// has it: SHA256_32BYTES with 32 bytes.
func (e Envelope) CheckDeviceNaming() *Fault {
	if fault := e.checkNaming(); fault != nil {
		return fault
	}
	if len(e.CertHash) != 32 {
		return faultf(HashSizeError, "a device names its certificate with 32 bytes, not %d",
			len(e.CertHash))
	}
	return nil
}
