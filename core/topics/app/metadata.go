package app

import (
	"strconv"

	"github.com/evetwin/evetwin/core/bus"
)

// MetaDataType is what an application told of itself, with EVE's numbers.
type MetaDataType uint8

// Types of what applications tell.
const (
	MetaDataNone         MetaDataType = 0
	MetaDataKubeConfig   MetaDataType = 1
	MetaDataCustomStatus MetaDataType = 2
)

// AppInstMetaData is what an application told of itself last, for the controller: bytes that nobody
// on the device looks into. Owner: msrv. Persistent.
type AppInstMetaData struct {
	AppInstUUID string
	Type        MetaDataType
	Data        []byte // 32 KiB at most
}

// Key is the application's UUID and the number of the type.
func (m AppInstMetaData) Key() string { return MetaDataKey(m.AppInstUUID, m.Type) }

// MetaDataKey is the key of what an application told.
func MetaDataKey(app string, t MetaDataType) string { return app + "-" + strconv.Itoa(int(t)) }

// MetaData is msrv's topic.
var MetaData = bus.NewTopic[AppInstMetaData](bus.Decl{
	Owner: "msrv", Name: "AppInstMetaData", Life: bus.Persistent, MaxRows: 4000})
