package lab

// What the tests of this package look at from outside.
var (
	ProbeInitramfs   = probeInitramfs
	BootProbeGuest   = bootProbeGuest
	Absent           = absent
	CompareVersions  = compareVersions
	SoftBefore       = softBefore
	Vmlinux          = vmlinux
	ErrNotPVH        = errNotPVH
	SweepSocketDirs  = sweepSocketDirs
	MissingPackages  = missingPackages
	WantedModules    = wantedModules
	TakeKernelFiles  = takeKernelFiles
	KeepKernel       = keepKernel
	DescribeModule   = describeModule
	SocketPathLength = socketPathMax
)
