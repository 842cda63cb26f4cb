// Package client onboards the device: it fetches the controller's certificates, registers the
// device if it has an onboarding key, and asks for its UUID. It publishes as zedclient.
//
//	in   nim/DeviceNetworkStatus       ports and state: the gate of every request
//	in   tpm/KeySeen                   the device certificate; whether there is an onboarding key
//	in   store/FileSeen                /config/server, root certificate, soft serial, checkpoints
//	in   hyper/HostSeen                product serial and model
//	in   clock/ClockSeen               whether the time can be trusted
//	in   zedagent/UUIDCheck            asks for the UUID again
//	out  zedclient/OnboardingStatus    UUID and hardware model; persistent
//	out  zedclient/ClientStatus        what it is at, for people
//	out  zedclient/ControllerCert      the certificates it fetched
//	out  zedclient/LedBlinkCounter     what the LED should say
//	out  zedclient/MetricsMap          counters of its exchanges
//	op   store.Write                   controllercerts, uuid and hardwaremodel below /persist
//	     and those of package controllerconn
//
// A clock that nobody sets is waited for until six minutes after boot.
//
// A run goes in rounds until the UUID is known. A round that fails is followed by the next after 1
// s, 2 s, 4 s and so on up to 10 min, or at once when the network changes:
//
//	waiting ──network, time, keys──▶ certs ──saved──▶ register ──▶ uuid ──▶ done
//	   ▲                               │ (once per boot    │ (onboarding   │      │
//	   │                               │  and server)      │  key only)    │      │ UUIDCheck
//	   └───────── back-off ────────────┴───────────────────┴───────────────┘◀─────┘ asks for uuid
//
// An onboarded device that has no network 5 s after its start is done with the UUID it has. A
// refused registration does not end a round: whether the device is known is for the uuid request
// to say.
package client
