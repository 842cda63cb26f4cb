package libvirtd

// EndInterrupted is endInterrupted.
var EndInterrupted = endInterrupted
