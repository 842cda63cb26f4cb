// Package httpd puts a controller on the network: a TLS server for devices, and a second listener
// with an admin interface in JSON for people and scripts.
//
// # Admin interface
//
// All of it needs the header "Authorization: Bearer TOKEN", with the token in a file of mode
// 0600 that the server writes when it starts and removes when it stops. Bodies are JSON; where
// ID stands, a UUID or a name will do. Errors are {"error": text}.
//
//	GET    /admin/v1/status                   counts, URL, generation of the signing certificate
//	GET    /admin/v1/devices                  all devices
//	POST   /admin/v1/devices                  {name, serial, cert, uuid}: 201, 400, 409
//	GET    /admin/v1/devices/ID               one device: 200, 404
//	DELETE /admin/v1/devices/ID               204, 404
//	GET    /admin/v1/devices/ID/config        EdgeDevConfig; the version is the ETag
//	PUT    /admin/v1/devices/ID/config        200, 400, 404; 409 if If-Match or id.version is stale
//	GET    /admin/v1/devices/ID/info          a line of JSON per message kept, oldest first
//	GET    /admin/v1/devices/ID/metrics       the same
//	GET    /admin/v1/devices/ID/REPORT        the same for flowlog and hardwarehealth
//	GET    /admin/v1/devices/ID/requests      the last requests with their codes
//	GET    /admin/v1/onboards                 onboarding certificates
//	POST   /admin/v1/onboards                 {cert, serials}: 201, 400
//	DELETE /admin/v1/onboards/NAME            204, 404
//	GET    /admin/v1/faults                   faults that hold
//	POST   /admin/v1/faults                   a controllersim.Fault: 201, 400
//	DELETE /admin/v1/faults, /faults/NAME     204, 404
//	POST   /admin/v1/rotate                   another signing certificate
//	GET    /admin/v1/root.pem                 the root certificate
//
// Reports take the parameters since=SEQ (only newer ones), type=ZiApp (only that type, by name or
// number), entity=ID (only on that) and follow=true (go on with new ones as they come, until the
// client leaves).
//
// The admin listener takes loopback addresses only, unless it speaks TLS as well.
package httpd
