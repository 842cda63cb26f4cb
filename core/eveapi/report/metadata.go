package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/topics/app"
)

func metaDataMessage(m *info.ZInfoAppInstMetaData) *info.ZInfoMsg {
	return &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiAppInstMetaData,
		InfoContent: &info.ZInfoMsg_Amdinfo{Amdinfo: m}}
}

// MetaData reports what an application told of itself, byte by byte.
func MetaData(m *app.AppInstMetaData) *info.ZInfoMsg {
	return metaDataMessage(&info.ZInfoAppInstMetaData{Uuid: m.AppInstUUID,
		Type: info.AppInstMetaDataType(m.Type), Data: m.Data})
}

// goneMetaData is the last word on what an application told: application and type alone.
func goneMetaData(key string) (*info.ZInfoMsg, error) {
	at := strings.LastIndexByte(key, '-')
	if at < 0 {
		return nil, fmt.Errorf("report the end of what %s told: it names no type", key)
	}
	n, err := strconv.ParseUint(key[at+1:], 10, 8)
	if err != nil {
		return nil, fmt.Errorf("report the end of what %s told: %w", key, err)
	}
	return metaDataMessage(&info.ZInfoAppInstMetaData{Uuid: key[:at],
		Type: info.AppInstMetaDataType(n)}), nil
}
