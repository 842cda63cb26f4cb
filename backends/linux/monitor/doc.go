// Package monitor is the socket of EVE's terminal UI: /run/monitor.sock. What the device is goes
// out, what the person in front of it asks for comes in.
//
// A frame is a length of 32 bits, little endian, and so many bytes of JSON. To the terminal:
//
//	{"type":"DeviceStatus","message":{...}}     who the device is, and how it does
//	{"type":"NetworkStatus","message":{...}}    the ports as they are
//	{"type":"AppsList","message":{...}}         all applications
//	{"type":"DownloaderStatus","message":{...}} one download
//	{"type":"TUIConfig","message":{...}}        the terminal's own settings
//	{"type":"Response","message":{"Ok":"ok","id":7}}, or "Err" with the reason
//
// and from it {"id":7,"RequestType":"SetInterfaceConfig","RequestData":{...}}, which becomes a row
// for the agent monitor.
//
// Who connects is told all, then what changes; who is slow is told the newest of it, and nobody
// waits for who does not read. A newer terminal takes the place of the one before. Only root may
// connect.
//
// EVE: bootReason is why the device booted, not what it was asked to boot for.
// EVE: TpmLogs are not sent: there is no attestation that could have failed yet.
package monitor
