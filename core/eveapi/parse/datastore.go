package parse

import (
	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/topics/content"
)

// Datastores reads the datastores. Secrets stay where they are: rows name them.
func Datastores(list []*config.DatastoreConfig) ([]content.DatastoreConfig, string) {
	var rows []content.DatastoreConfig
	for i, d := range list {
		rows = append(rows, datastore(d, i))
	}
	out, dropped := unique(rows, func(d *content.DatastoreConfig) {
		d.Error = joinError(d.Error, "another datastore has the same UUID")
	})
	return out, tooMany("datastores", dropped)
}

func datastore(d *config.DatastoreConfig, index int) content.DatastoreConfig {
	out := content.DatastoreConfig{Fqdn: d.GetFqdn(), Dpath: d.GetDpath(), Region: d.GetRegion()}
	var errs wrongs
	var wrong string
	out.UUID, wrong = readUUID(d.GetId(), index)
	errs.add(wrong)
	switch t := d.GetDType(); t {
	case config.DsType_DsHttp, config.DsType_DsHttps, config.DsType_DsS3, config.DsType_DsSFTP,
		config.DsType_DsContainerRegistry, config.DsType_DsAzureBlob, config.DsType_DsGoogleStorage:
		out.DsType = t.String()
	default:
		errs.add("datastore type ", number(int(t)), " is unknown")
	}
	if out.Region == "" {
		out.Region = "us-west-2" // what controllers without regions mean
	}
	for _, pem := range d.GetDsCertPEM() {
		out.DsCertPEM = append(out.DsCertPEM, string(pem))
	}
	out.ApiKey = named(out.UUID, "apikey", d.GetApiKey())
	out.Password = named(out.UUID, "password", d.GetPassword())
	if d.GetCipherData() != nil {
		errs.add("its credentials are encrypted and cannot be decrypted")
	}
	if weigh(out, MaxRow) > MaxRow {
		out = content.DatastoreConfig{UUID: out.UUID, DsType: out.DsType}
		errs.add(tooLarge(MaxRow))
	}
	out.Error = errs.String()
	return out
}

// named is the reference that stands in the place of a secret. A secret in the clear, of a
// configuration that no part has stripped, is named by its place alone and is not to be found.
func named(id, field, text string) string {
	if text == "" || secret.Is(text) {
		return text
	}
	return "config:" + id + ":" + field + ":"
}

func joinError(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
