package secret

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// class says what a text of a configuration may hold.
type class uint8

const (
	harmless class = iota
	hidden         // a secret: all of it is replaced
	login          // a URL: user and password in it are replaced
	userData       // a secret in base64
)

// classes are the fields of a configuration that may hold secrets in the clear, by their full names
// in the API. A test walks all messages and wants every text that is not here to be among the
// harmless ones.
var classes = map[protoreflect.FullName]class{
	"org.lfedge.eve.config.EdgeDevConfig.profile_server_token": hidden,
	"org.lfedge.eve.config.EdgeDevConfig.local_profile_server": login,
	"org.lfedge.eve.config.DatastoreConfig.apiKey":             hidden,
	"org.lfedge.eve.config.DatastoreConfig.password":           hidden,
	"org.lfedge.eve.config.DatastoreConfig.fqdn":               login,
	"org.lfedge.eve.config.ContentTree.URL":                    login,
	"org.lfedge.eve.config.Image.name":                         login,
	"org.lfedge.eve.config.AppInstanceConfig.userData":         userData,
	"org.lfedge.eve.config.VmConfig.vncPasswd":                 hidden,
	"org.lfedge.eve.config.NetworkAdapter.pemprivatekey":       hidden,
	"org.lfedge.eve.config.NetworkAdapter.cryptoEid":           hidden,
	"org.lfedge.eve.config.ZcServicePoint.Credential":          hidden,
	// Settings of a VPN, with its shared keys.
	"org.lfedge.eve.config.NetworkInstanceOpaqueConfig.oconfig": hidden,
	"org.lfedge.eve.config.WifiConfig.identity":                 hidden,
	"org.lfedge.eve.config.WifiConfig.password":                 hidden,
	"org.lfedge.eve.config.WifiConfig.cryptoblock.identity":     hidden,
	"org.lfedge.eve.config.WifiConfig.cryptoblock.password":     hidden,
	"org.lfedge.eve.config.EdgeViewConfig.token":                hidden,
	"org.lfedge.eve.config.LOCConfig.loc_url":                   login,
	"org.lfedge.eve.config.SCEPProfile.scep_url":                login,
	// What applications are sent.
	"org.lfedge.eve.config.InlineOpaqueBase64Data.base64Data": hidden,
	"org.lfedge.eve.common.ProxyConfig.networkProxyURL":       login,
	"org.lfedge.eve.common.ProxyServer.server":                login,
	// A hash of what was encrypted: weak secrets could be guessed by it.
	"org.lfedge.eve.common.CipherBlock.clearTextSha256": hidden,
}
