package readjson

import (
	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi"
)

// ReadConfigJSON reads an EdgeDevConfig. unknown lists, by path, the fields that the API does not
// have or no longer has; they are skipped. The error is one line and names file, field and
// reason.
func ReadConfigJSON(file string, data []byte) (
	cfg *config.EdgeDevConfig, unknown []string, err error,
) {
	o, err := parse(file, data, eveapi.MaxEnvelope)
	if err != nil {
		return nil, nil, err
	}
	cfg = &config.EdgeDevConfig{}
	d := &decoder{file: file}
	if err := d.message(cfg.ProtoReflect(), o, ""); err != nil {
		return nil, nil, err
	}
	return cfg, d.skipped(), nil
}
