package tpm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// randomChunk is the most random bytes a TPM is sure to give in one command: a SHA-256 digest.
const randomChunk = 32

// TPM is an open TPM, for as long as a context lives.
type TPM struct {
	wire *wire
	over transport.TPM
}

// Within returns the same TPM for the time of a context: when that ends, commands end within half a
// second, whether the TPM answers or not.
func (t *TPM) Within(ctx context.Context) *TPM {
	return &TPM{wire: t.wire, over: link{t.wire, ctx}}
}

// Open opens the TPM at a path, a device node or a socket, and asks it for its properties, so
// that what is no TPM 2.0 is found out here.
func Open(path string) (*TPM, error) {
	w, err := openWire(path)
	if err != nil {
		return nil, fmt.Errorf("open TPM: %w", err)
	}
	t := &TPM{wire: w, over: link{w, context.Background()}}
	// An emulator may be started or not, /dev/tpm0 likewise; a TPM that was says so by an error.
	_, err = tpm2.Startup{StartupType: tpm2.TPMSUClear}.Execute(t.over)
	if err != nil && !errors.Is(err, tpm2.TPMRCInitialize) {
		return nil, errors.Join(fmt.Errorf("start TPM %s: %w", path, err), w.close())
	}
	if _, err := t.Properties(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return t, nil
}

// Close closes the TPM. What is stored in it stays.
func (t *TPM) Close() error {
	if err := t.wire.close(); err != nil {
		return fmt.Errorf("close TPM %s: %w", t.wire.path, err)
	}
	return nil
}

// Path returns what the TPM was opened by.
func (t *TPM) Path() string { return t.wire.path }

// Transport returns the TPM for go-tpm's commands.
func (t *TPM) Transport() transport.TPM { return t.over }

// ReadWriter returns the same TPM for the older API of go-tpm and for go-tpm-tools. Closing it
// does not close the TPM.
func (t *TPM) ReadWriter() io.ReadWriteCloser { return &older{over: t.over} }

// Properties are what a TPM says of itself.
type Properties struct {
	// Manufacturer is four letters, for example "IBM", "IFX", "STM".
	Manufacturer string
	// Vendor is the manufacturer's name of the part.
	Vendor string
	// Firmware is its version as four numbers with dots.
	Firmware string
	// Spec is the revision of the TPM 2.0 library, for example 1.64.
	Spec string
	// NVBuffer is the most bytes one command reads or writes of an NV index.
	NVBuffer int
	// NVIndexMax is the most bytes an NV index holds.
	NVIndexMax int
}

// fixedProperties is the first of the properties that never change, and how many there are.
const (
	fixedProperties     = 0x100
	fixedPropertiesSize = 64
)

// Properties asks the TPM what it is.
func (t *TPM) Properties() (Properties, error) {
	answer, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties,
		Property: fixedProperties, PropertyCount: fixedPropertiesSize}.Execute(t.over)
	if err != nil {
		return Properties{}, fmt.Errorf("ask TPM %s what it is: %w", t.wire.path, err)
	}
	list, err := answer.CapabilityData.Data.TPMProperties()
	if err != nil {
		return Properties{}, fmt.Errorf("ask TPM %s what it is: %w", t.wire.path, err)
	}
	value := map[tpm2.TPMPT]uint32{}
	for _, property := range list.TPMProperty {
		value[property.Property] = property.Value
	}
	first, second := value[tpm2.TPMPTFirmwareVersion1], value[tpm2.TPMPTFirmwareVersion2]
	vendor := ""
	for i := range tpm2.TPMPT(4) {
		vendor += letters(value[tpm2.TPMPTVendorString1+i])
	}
	revision := value[tpm2.TPMPTRevision]
	return Properties{
		Manufacturer: strings.TrimSpace(letters(value[tpm2.TPMPTManufacturer])),
		Vendor:       strings.TrimSpace(vendor),
		Firmware: fmt.Sprintf("%d.%d.%d.%d",
			first>>16, first&0xffff, second>>16, second&0xffff),
		Spec:       fmt.Sprintf("%d.%02d", revision/100, revision%100),
		NVBuffer:   int(value[tpm2.TPMPTNVBufferMax]),
		NVIndexMax: int(value[tpm2.TPMPTNVIndexMax]),
	}, nil
}

// letters reads a property that holds four ASCII letters.
func letters(value uint32) string {
	var text strings.Builder
	for shift := 24; shift >= 0; shift -= 8 {
		if c := byte(value >> shift); c >= ' ' && c < 0x7f {
			text.WriteByte(c)
		}
	}
	return text.String()
}

// Random returns n bytes from the TPM's generator.
func (t *TPM) Random(n int) ([]byte, error) {
	out := make([]byte, 0, n)
	for len(out) < n {
		answer, err := tpm2.GetRandom{
			BytesRequested: uint16(min(n-len(out), randomChunk))}.Execute(t.over)
		if err != nil {
			return nil, fmt.Errorf("get random bytes: %w", err)
		}
		if len(answer.RandomBytes.Buffer) == 0 {
			return nil, errors.New("get random bytes: the TPM gave none")
		}
		out = append(out, answer.RandomBytes.Buffer...)
	}
	return out[:n], nil
}
