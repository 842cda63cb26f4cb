package tpm

import (
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// DeviceCertIndex is where EVE keeps the device certificate.
const DeviceCertIndex = 0x01500000

// nvBufferDefault is used where a TPM does not tell how much fits into one command.
const nvBufferDefault = 512

// ErrNoData says that an NV index does not exist or was never written.
var ErrNoData = errors.New("nothing is stored at this NV index")

// NVWrite stores data at an NV index of the owner's. An index of another size is made anew. Data
// longer than the TPM's indexes is refused before anything is touched.
func (t *TPM) NVWrite(index uint32, data []byte) error {
	properties, err := t.Properties()
	if err != nil {
		return err
	}
	if limit := properties.NVIndexMax; len(data) == 0 || limit > 0 && len(data) > limit {
		return fmt.Errorf("store at NV index %#x: %d bytes, the TPM takes 1 to %d",
			index, len(data), limit)
	}
	public, _, err := t.nvPublic(index)
	switch {
	case errors.Is(err, ErrNoData):
		err = t.nvDefine(index, len(data))
	case err == nil && int(public.DataSize) != len(data):
		if err = t.NVDelete(index); err == nil {
			err = t.nvDefine(index, len(data))
		}
	}
	if err != nil {
		return fmt.Errorf("store at NV index %#x: %w", index, err)
	}
	chunk := nvChunk(properties)
	for at := 0; at < len(data); at += chunk {
		// The first write changes the index's attributes and with them its name.
		_, name, err := t.nvPublic(index)
		if err != nil {
			return fmt.Errorf("store at NV index %#x: %w", index, err)
		}
		if _, err := (tpm2.NVWrite{
			AuthHandle: tpm2.AuthHandle{
				Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
			NVIndex: tpm2.NamedHandle{Handle: tpm2.TPMHandle(index), Name: name},
			Data:    tpm2.TPM2BMaxNVBuffer{Buffer: data[at:min(at+chunk, len(data))]},
			Offset:  uint16(at),
		}).Execute(t.over); err != nil {
			return fmt.Errorf("store at NV index %#x: %w", index, err)
		}
	}
	return nil
}

// NVRead returns what is stored at an NV index; ErrNoData if nothing is.
func (t *TPM) NVRead(index uint32) ([]byte, error) {
	properties, err := t.Properties()
	if err != nil {
		return nil, err
	}
	public, name, err := t.nvPublic(index)
	if err == nil && !public.Attributes.Written {
		err = ErrNoData
	}
	if err != nil {
		return nil, fmt.Errorf("read NV index %#x: %w", index, err)
	}
	chunk := nvChunk(properties)
	data := make([]byte, 0, public.DataSize)
	for len(data) < int(public.DataSize) {
		answer, err := tpm2.NVRead{
			AuthHandle: tpm2.AuthHandle{
				Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
			NVIndex: tpm2.NamedHandle{Handle: tpm2.TPMHandle(index), Name: name},
			Size:    uint16(min(chunk, int(public.DataSize)-len(data))),
			Offset:  uint16(len(data)),
		}.Execute(t.over)
		if err == nil && len(answer.Data.Buffer) == 0 {
			err = errors.New("the TPM gave nothing")
		}
		if err != nil {
			return nil, fmt.Errorf("read NV index %#x: %w", index, err)
		}
		data = append(data, answer.Data.Buffer...)
	}
	return data, nil
}

// NVDelete removes an NV index. One that is not there is no error.
func (t *TPM) NVDelete(index uint32) error {
	_, name, err := t.nvPublic(index)
	if errors.Is(err, ErrNoData) {
		return nil
	}
	if err == nil {
		_, err = tpm2.NVUndefineSpace{
			AuthHandle: tpm2.TPMRHOwner,
			NVIndex:    tpm2.NamedHandle{Handle: tpm2.TPMHandle(index), Name: name},
		}.Execute(t.over)
	}
	if err != nil {
		return fmt.Errorf("delete NV index %#x: %w", index, err)
	}
	return nil
}

func nvChunk(p Properties) int {
	if p.NVBuffer > 0 {
		return p.NVBuffer
	}
	return nvBufferDefault
}

// nvPublic returns an index's public area and name; ErrNoData if there is no such index.
func (t *TPM) nvPublic(index uint32) (*tpm2.TPMSNVPublic, tpm2.TPM2BName, error) {
	answer, err := tpm2.NVReadPublic{NVIndex: tpm2.TPMHandle(index)}.Execute(t.over)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return nil, tpm2.TPM2BName{}, ErrNoData
	}
	if err != nil {
		return nil, tpm2.TPM2BName{}, err
	}
	public, err := answer.NVPublic.Contents()
	return public, answer.NVName, err
}

func (t *TPM) nvDefine(index uint32, size int) error {
	_, err := tpm2.NVDefineSpace{
		AuthHandle: tpm2.TPMRHOwner,
		PublicInfo: tpm2.New2B(tpm2.TPMSNVPublic{
			NVIndex: tpm2.TPMHandle(index), NameAlg: tpm2.TPMAlgSHA256,
			Attributes: tpm2.TPMANV{
				OwnerWrite: true, OwnerRead: true, AuthWrite: true, AuthRead: true,
				NT: tpm2.TPMNTOrdinary, NoDA: true,
			},
			DataSize: uint16(size),
		}),
	}.Execute(t.over)
	return err
}
