// Package cloud is what an agent on the bench of package rig talks to: a controller with its
// certificates, the network on the way there, and the parts that sign and send. The test itself
// says what the controller answers.
package cloud
