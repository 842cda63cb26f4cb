// Package scenario is what scenarios are written with: a small typed API over whole twins.
//
// A scenario is a Go function. It makes devices, gives them configurations through the controller,
// pulls cables, kills agents, cuts the power, and says what must be true at the end of it:
//
//	var PortFailover = scenario.New("port-failover", func(s *scenario.S) {
//		d := s.Device("edge", scenario.NICs(2))
//		d.Onboard()
//		d.Apply(d.Config().MgmtPort("eth0", 0).MgmtPort("eth1", 1))
//		s.Cut(d, "eth0")
//		s.Eventually(d.MgmtPort, 5*time.Minute).Should(Equal("eth1"))
//	}, scenario.Covers("NET-12", "API-13"))
//
// Eventually takes gomega matchers. In virtual time it runs the world until they match; in real
// time it looks again whenever the device did something. The same function runs on every host that
// can do what it needs.
package scenario
