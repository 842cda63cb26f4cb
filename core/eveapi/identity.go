package eveapi

import (
	"fmt"

	"github.com/google/uuid"
	eveuuid "github.com/lf-edge/eve-api/go/eveuuid"
)

// Identity is what a controller tells a device of itself.
type Identity struct {
	// UUID is the device's, in canonical form.
	UUID string
	// Manufacturer and Product override the hardware model, if both are given.
	Manufacturer, Product string
}

// UUIDRequestBody is the payload that asks for the device's UUID: an empty message.
func UUIDRequestBody() []byte { return nil }

// UUIDResponseBody builds the payload of the answer to a uuid request.
func UUIDResponseBody(id Identity) ([]byte, error) {
	return Marshal(&eveuuid.UuidResponse{
		Uuid: id.UUID, Manufacturer: id.Manufacturer, ProductName: id.Product,
	})
}

// ParseUUIDResponse parses the payload of the answer to a uuid request. The nil UUID is refused
// like any other text that is no UUID of a device.
func ParseUUIDResponse(payload []byte) (Identity, error) {
	msg := &eveuuid.UuidResponse{}
	if err := Unmarshal(payload, msg); err != nil {
		return Identity{}, err
	}
	id, err := uuid.Parse(msg.GetUuid())
	if err != nil {
		return Identity{}, fmt.Errorf("parse UUID of the device %q: %w", msg.GetUuid(), err)
	}
	if id == uuid.Nil {
		return Identity{}, fmt.Errorf("parse UUID of the device: it is the nil UUID")
	}
	return Identity{
		UUID: id.String(), Manufacturer: msg.GetManufacturer(), Product: msg.GetProductName(),
	}, nil
}

// ParseUUIDRequest checks that the payload is a uuid request, which says nothing.
func ParseUUIDRequest(payload []byte) error {
	return Unmarshal(payload, &eveuuid.UuidRequest{})
}
