package parse

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/content"
)

// Fields of a datastore that a SecretRef may name.
const (
	SecretAPIKey   = "apikey"
	SecretPassword = "password"
)

// SecretRef names a secret of the configuration in force: "config:<datastore uuid>:<field>". It
// says where the secret is, not what: Secret finds it.
func SecretRef(datastore, field string) string { return "config:" + datastore + ":" + field }

// Secret resolves a SecretRef against a configuration; false if there is no such secret in it.
func Secret(cfg *config.EdgeDevConfig, ref string) (string, bool) {
	parts := strings.Split(ref, ":")
	if len(parts) != 3 || parts[0] != "config" {
		return "", false
	}
	for i, d := range cfg.GetDatastores() {
		if id, _ := readUUID(d.GetId(), i); id != parts[1] {
			continue
		}
		switch parts[2] {
		case SecretAPIKey:
			return d.GetApiKey(), d.GetApiKey() != ""
		case SecretPassword:
			return d.GetPassword(), d.GetPassword() != ""
		}
	}
	return "", false
}

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
	if d.GetApiKey() != "" {
		out.ApiKey = SecretRef(out.UUID, SecretAPIKey)
	}
	if d.GetPassword() != "" {
		out.Password = SecretRef(out.UUID, SecretPassword)
	}
	out.SecretTag = secretTag(out.UUID, d.GetApiKey(), d.GetPassword())
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

// secretTag changes when a secret does, so that who holds an old one notices. It is far too short
// to tell right guesses from wrong ones.
func secretTag(id string, secrets ...string) string {
	if strings.Join(secrets, "") == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(id))
	for _, s := range secrets {
		mac.Write([]byte(number(len(s)) + ":" + s))
	}
	return hex.EncodeToString(mac.Sum(nil)[:2])
}

func joinError(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
