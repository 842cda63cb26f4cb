// Package readjson reads what people write by hand or take from other tools: configurations and
// device models in JSON.
//
// It reads generously and refuses precisely. Fields may be named as in the proto file or in camel
// case; fields that do not exist are skipped and listed; enum values may be names or numbers,
// known or not. What cannot be read is refused with one line that names file, field and reason:
//
//	edge.json: networks[0].ip.dhcp: "dynamic" is not a value of DHCPType
package readjson
