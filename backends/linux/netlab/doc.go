// Package netlab builds small networks for tests of real parts: namespaces with cables between them
// and servers in them. All of it belongs to one test and is gone with it.
//
//	l := netlab.New(t)
//	dev, sdn := l.Space("dev"), l.Space("sdn")
//	l.Cable(dev, "eth0", sdn, "lan0")        // both ends down, as after power on
//	sdn.Up("lan0", "10.99.0.1/24")
//	s := sdn.Serve(netlab.Server{Link: "lan0", Range: "10.99.0.50,10.99.0.60"})
//	dev.Do(func() { ... net.Dial ... })      // sockets opened here live in dev
//	s.Kill()                                 // SIGKILL; s.Start() starts it again
//
// Tests need root. Without it, or without a program, they fail, unless parts are optional (see
// package labtest).
package netlab
