package tpm

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// Where EVE keeps its other keys.
const (
	EndorsementHandle = 0x81000001
	StorageHandle     = 0x81000002
	IdentityHandle    = 0x81000003
	QuoteHandle       = 0x81000004
	EcdhHandle        = 0x81000005
)

// object is a key at a persistent handle.
type object struct {
	handle tpm2.TPMHandle
	name   tpm2.TPM2BName
	public tpm2.TPMTPublic
	area   []byte // the public part as TPMT_PUBLIC
}

// as is the object for a command that is authorised by a session.
func (o object) as(auth tpm2.Session) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: o.handle, Name: o.name, Auth: auth}
}

// plain is the object for a command; its authorisation is the empty password.
func (o object) plain() tpm2.AuthHandle { return o.as(tpm2.PasswordAuth(nil)) }

// signing is the template of a key that signs what the TPM makes.
func signing(kind tpm2.TPMAlgID, parameters tpm2.TPMUPublicParms) tpm2.TPMTPublic {
	return tpm2.TPMTPublic{Type: kind, NameAlg: tpm2.TPMAlgSHA256, Parameters: parameters,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true,
			SensitiveDataOrigin: true, UserWithAuth: true, NoDA: true, Restricted: true,
			SignEncrypt: true}}
}

// template is how the key at a handle is made, and in which hierarchy. Templates have nothing of
// chance, so the same TPM makes the same key again.
func template(handle uint32) (tpm2.TPMTPublic, tpm2.TPMHandle) {
	sha256 := &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}
	switch handle {
	case EndorsementHandle:
		return tpm2.RSAEKTemplate, tpm2.TPMRHEndorsement
	case StorageHandle:
		return tpm2.RSASRKTemplate, tpm2.TPMRHOwner
	case IdentityHandle:
		return signing(tpm2.TPMAlgRSA, tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{
			KeyBits: 2048, Scheme: tpm2.TPMTRSAScheme{Scheme: tpm2.TPMAlgRSASSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA,
					&tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA256})}})), tpm2.TPMRHOwner
	case QuoteHandle:
		return signing(tpm2.TPMAlgECC, tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			CurveID: tpm2.TPMECCNistP256, Scheme: tpm2.TPMTECCScheme{Scheme: tpm2.TPMAlgECDSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, sha256)}})), tpm2.TPMRHOwner
	case EcdhHandle:
		t := signing(tpm2.TPMAlgECC, tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			CurveID: tpm2.TPMECCNistP256}))
		t.ObjectAttributes.Restricted, t.ObjectAttributes.SignEncrypt = false, false
		t.ObjectAttributes.Decrypt = true
		return t, tpm2.TPMRHOwner
	default:
		return deviceKeyTemplate(), tpm2.TPMRHOwner
	}
}

// keep makes a primary key and keeps it at a persistent handle; it belongs in alone.
func (t *TPM) keep(handle uint32, hierarchy tpm2.TPMHandle, made tpm2.TPMTPublic) error {
	primary, err := tpm2.CreatePrimary{PrimaryHandle: hierarchy,
		InPublic: tpm2.New2B(made)}.Execute(t.over)
	if err != nil {
		return err
	}
	_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner,
		ObjectHandle:     &tpm2.NamedHandle{Handle: primary.ObjectHandle, Name: primary.Name},
		PersistentHandle: tpm2.TPMHandle(handle),
	}.Execute(t.over)
	return errors.Join(err, t.flush(primary.ObjectHandle))
}

// object returns the key at a handle, and makes it if there is none; it belongs in alone.
func (t *TPM) object(handle uint32) (object, error) {
	o, err := t.stored(handle)
	if !errors.Is(err, ErrNoKey) {
		return o, err
	}
	made, hierarchy := template(handle)
	if err := t.keep(handle, hierarchy, made); err != nil {
		return object{}, fmt.Errorf("make key %#x: %w", handle, err)
	}
	return t.stored(handle)
}

// stored returns the key at a handle, or ErrNoKey.
func (t *TPM) stored(handle uint32) (object, error) {
	answer, err := tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(handle)}.Execute(t.over)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return object{}, fmt.Errorf("read key %#x: %w", handle, ErrNoKey)
	}
	if err != nil {
		return object{}, fmt.Errorf("read key %#x: %w", handle, err)
	}
	public, err := answer.OutPublic.Contents()
	if err != nil {
		return object{}, fmt.Errorf("read key %#x: %w", handle, err)
	}
	return object{handle: tpm2.TPMHandle(handle), name: answer.Name, public: *public,
		area: tpm2.Marshal(*public)}, nil
}

// Evict removes the key at a persistent handle of the owner's. The key as such stays the TPM's:
// made again it is the same. One that is not there is no error.
func (t *TPM) Evict(handle uint32) error {
	o, err := t.stored(handle)
	if errors.Is(err, ErrNoKey) {
		return nil
	}
	if err == nil {
		_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner,
			ObjectHandle:     &tpm2.NamedHandle{Handle: o.handle, Name: o.name},
			PersistentHandle: o.handle}.Execute(t.over)
	}
	if err != nil {
		return fmt.Errorf("remove key %#x: %w", handle, err)
	}
	return nil
}

// Public returns the public part of the key at one of EVE's handles, as a key and as TPMT_PUBLIC.
// A key that is not there is made, but for the device key.
func (t *TPM) Public(handle uint32) (key crypto.PublicKey, area []byte, err error) {
	err = t.alone(func() error {
		get := t.object
		if handle == DeviceKeyHandle {
			get = t.stored
		}
		o, err := get(handle)
		if err == nil {
			key, err = tpm2.Pub(o.public)
		}
		area = o.area
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("public key %#x: %w", handle, err)
	}
	return key, area, nil
}
