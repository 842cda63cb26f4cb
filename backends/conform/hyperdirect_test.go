package conform_test

import (
	"testing"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/hyper"
)

func TestDirectHyperConforms(t *testing.T) {
	v := newVolumes(t)
	conform.Hyper(t, realPart("direct"), func(t *testing.T) conform.HyperSetup {
		return newHyperLab(t, v, hyper.QEMU, "").setup()
	})
}
