package secret

import (
	"slices"
	"strings"
	"testing"

	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// harmlessFields are the texts of a configuration that hold no secrets in the clear, by message.
var harmlessFields = map[protoreflect.FullName]string{
	"org.lfedge.eve.common.CipherBlock": "" +
		"cipherContextId cipherData initialValue",
	"org.lfedge.eve.common.CipherContext": "" +
		"contextId controllerCertHash deviceCertHash",
	"org.lfedge.eve.common.DiskDescription":    "logical_name name serial",
	"org.lfedge.eve.common.ProbeEndpoint":      "host",
	"org.lfedge.eve.common.ProxyConfig":        "exceptions pacfile proxyCertPEM",
	"org.lfedge.eve.common.ZnetStaticDNSEntry": "Address HostName",
	"org.lfedge.eve.common.ipRange":            "end start",
	"org.lfedge.eve.common.ipspec":             "dns domain gateway more_ntp ntp subnet",
	"org.lfedge.eve.config.ACE":                "name",
	"org.lfedge.eve.config.ACEAction":          "limitunit",
	"org.lfedge.eve.config.ACEMatch":           "type value",
	"org.lfedge.eve.config.Adapter":            "name",
	"org.lfedge.eve.config.AppInstanceConfig": "" +
		"collectStatsIPAddr designated_node_id displayname profile_list " +
		"vm_resolution",
	"org.lfedge.eve.config.ArpMonitor":   "ip_targets",
	"org.lfedge.eve.config.BaseOS":       "base_os_version content_tree_uuid",
	"org.lfedge.eve.config.BaseOSConfig": "baseOSVersion volumeID",
	"org.lfedge.eve.config.BondAdapter": "" +
		"interface_name logicallabel lower_layer_names",
	"org.lfedge.eve.config.CSRProfile": "" +
		"common_name country locality organization organizational_unit san_dns " +
		"san_email san_ip san_uri state",
	"org.lfedge.eve.config.CellularAccessPoint": "" +
		"apn attach_apn preferred_plmns",
	"org.lfedge.eve.config.CellularConfig":            "APN",
	"org.lfedge.eve.config.CellularConnectivityProbe": "probe_address",
	"org.lfedge.eve.config.ConfigItem":                "key value",
	"org.lfedge.eve.config.ConfigResponse":            "configHash",
	"org.lfedge.eve.config.ContentTree": "" +
		"custom_meta_data designated_node_id displayName dsId ds_ids_list sha256 " +
		"uuid",
	"org.lfedge.eve.config.DatastoreConfig": "dpath dsCertPEM id region",
	"org.lfedge.eve.config.DeviceOpsCmd":    "opsTime",
	"org.lfedge.eve.config.EdgeDevConfig": "" +
		"controllercert_confighash device_name enterprise_id enterprise_name " +
		"global_profile manufacturer productName project_id project_name",
	"org.lfedge.eve.config.EdgeNodeCluster": "" +
		"cluster_id cluster_interface cluster_ip_prefix cluster_name " +
		"join_server_ip tie_breaker_node_id",
	"org.lfedge.eve.config.EdgeViewConfig":    "disp_cert_pem",
	"org.lfedge.eve.config.EthVF":             "mac",
	"org.lfedge.eve.config.EveBinaryArtifact": "artifactMetaData",
	"org.lfedge.eve.config.EvePatchEnvelope": "" +
		"appInstIdsAllowed displayName uuid version",
	"org.lfedge.eve.config.ExternalOpaqueBinaryBlob": "" +
		"blobMetaData fileNameToUse imageId imageName",
	"org.lfedge.eve.config.IPRoute": "destination_network gateway port",
	"org.lfedge.eve.config.Image":   "dsId sha256",
	"org.lfedge.eve.config.InlineOpaqueBase64Data": "" +
		"base64MetaData fileNameToUse",
	"org.lfedge.eve.config.InstanceOpsCmd": "opsTime",
	"org.lfedge.eve.config.LOCConfig":      "datastore_collect_info_id",
	"org.lfedge.eve.config.LoadBalancerInterface": "" +
		"address_cidrs interface_name",
	"org.lfedge.eve.config.NetworkAdapter": "" +
		"addr hostname lispsignature macAddress name networkId pemcert",
	"org.lfedge.eve.config.NetworkConfig":             "id",
	"org.lfedge.eve.config.NetworkInstanceConfig":     "displayname",
	"org.lfedge.eve.config.NetworkInstanceLispConfig": "allocationprefix",
	"org.lfedge.eve.config.PNAC": "" +
		"cert_enrollment_profile_name eap_identity logicallabel",
	"org.lfedge.eve.config.PatchEnvelopeRef": "id name",
	"org.lfedge.eve.config.PhysicalIO": "" +
		"assigngrp logicallabel parentassigngrp phylabel",
	"org.lfedge.eve.config.PhysicalIO.CbattrEntry":   "key value",
	"org.lfedge.eve.config.PhysicalIO.PhyaddrsEntry": "key value",
	"org.lfedge.eve.config.SCEPProfile":              "ca_cert_pem profile_name",
	"org.lfedge.eve.config.SignatureInfo": "" +
		"intercertsurl signature signercerturl",
	"org.lfedge.eve.config.SnapshotConfig":       "active_snapshot",
	"org.lfedge.eve.config.SnapshotDesc":         "id",
	"org.lfedge.eve.config.SpanningTreeProtocol": "ports_with_bpdu_guard",
	"org.lfedge.eve.config.SystemAdapter": "" +
		"addr alias lowerLayerName name networkUUID shared_labels",
	"org.lfedge.eve.config.UUIDandVersion": "uuid version",
	"org.lfedge.eve.config.VlanAccessPort": "access_port",
	"org.lfedge.eve.config.VlanAdapter": "" +
		"interface_name logicallabel lower_layer_name",
	"org.lfedge.eve.config.VmConfig": "" +
		"bootloader cpus devicetree dtdev extraargs iomem kernel ramdisk rootdev",
	"org.lfedge.eve.config.Volume":              "designated_node_id displayName uuid",
	"org.lfedge.eve.config.VolumeContentOrigin": "downloadContentTreeID",
	"org.lfedge.eve.config.VolumeRef":           "mount_dir uuid",
	"org.lfedge.eve.config.WifiConfig":          "wifiSSID",
	"org.lfedge.eve.config.ZcServicePoint":      "NameOrIp",
}

// suspicious are parts of names that a secret's field has.
var suspicious = []string{"pass", "secret", "key", "token", "psk", "credential", "userdata",
	"challenge", "private", "login"}

// innocent are fields with such a name that hold none.
var innocent = []string{
	"org.lfedge.eve.config.ConfigItem.key", // a setting's name; no setting is a secret
	"org.lfedge.eve.config.PhysicalIO.CbattrEntry.key",
	"org.lfedge.eve.config.PhysicalIO.PhyaddrsEntry.key",
}

// eachText calls f with every field of text in a message, by every way that leads there.
func eachText(md protoreflect.MessageDescriptor, way []protoreflect.FieldDescriptor,
	f func(way []protoreflect.FieldDescriptor),
) {
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		on := append(slices.Clone(way), fd)
		switch {
		case fd.Kind() == protoreflect.StringKind, fd.Kind() == protoreflect.BytesKind:
			f(on)
		case fd.Message() != nil && !slices.ContainsFunc(way, func(w protoreflect.FieldDescriptor) bool {
			return w.Message() == fd.Message()
		}):
			eachText(fd.Message(), on, f)
		}
	}
}

// A field that the API gains is neither secret nor harmless until somebody says which.
func TestEveryTextOfAConfigurationIsKnown(t *testing.T) {
	known := map[protoreflect.FullName]bool{}
	eachText((&config.ConfigResponse{}).ProtoReflect().Descriptor(), nil,
		func(way []protoreflect.FieldDescriptor) {
			fd := way[len(way)-1]
			name := fd.FullName()
			if known[name] {
				return
			}
			known[name] = true
			fine := slices.Contains(strings.Fields(harmlessFields[name.Parent()]), string(fd.Name()))
			if _, taken := classes[name]; taken == fine {
				t.Errorf("%s: secret %v, harmless %v", name, taken, fine)
			}
			low := strings.ToLower(strings.ReplaceAll(string(fd.Name()), "_", ""))
			if fine && !slices.Contains(innocent, string(name)) &&
				slices.ContainsFunc(suspicious, func(s string) bool { return strings.Contains(low, s) }) {
				t.Errorf("%s is named like a secret and said to be harmless", name)
			}
		})
	for name := range classes {
		if !known[name] {
			t.Errorf("%s is not in the API", name)
		}
	}
}
