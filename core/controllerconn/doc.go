// Package controllerconn is the one way from an agent to its controller: it chooses ports and
// source addresses, finds proxies, has requests signed by the TPM, wraps them, tries port after
// port, and classes and verifies what comes back.
//
// It is pure wiring over the ops web.Send and tpm.Sign, embedded by the agents that talk to the
// controller. What it must remember stands in Local topics of the embedding agent:
//
//	var conn = controllerconn.Declare("zedclient")              // a package variable
//
//	c := controllerconn.Attach(p, conn, controllerconn.Options{}) // in New
//
//	res := c.Want(t, "uuid", controllerconn.Request{              // in Step
//		Endpoint: eveapi.UUID, Payload: eveapi.UUIDRequestBody(), Verify: true})
//	switch res.Phase { case agent.Done: ...; case agent.Failed: ... }
//
// Like a call of an op, an exchange is level-triggered: the same request joins it, another one
// replaces it, the outcome stays until Redo or Drop. An exchange goes
//
//	queued ──name and UUID known──▶ signing ──signature──▶ sending ──answer counts──▶ done
//	         (GET: at once) ───────────────────────────▲  │ └──no port left, time is up─▶ failed
//	                                                   └──┘ next port or source address
//
// Agents that report keep names of what is due in a queue instead (MarkDue, Pump): the body of a
// message is built when it is sent, so that only the newest state of an entity travels.
//
// Test is the connectivity test of port configurations. ProxyFor and Via serve whoever sends
// through a port without meaning the controller.
package controllerconn
