package conform_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	device "github.com/evetwin/evetwin/core/device/store"
)

func TestModelStoreQuotasConform(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.StoreQuotas(t, conform.Backend{Name: "model with quotas", Report: report},
		modelStore(storeAbilities{Quotas: true}))
}

func TestLinuxStoreQuotasConform(t *testing.T) {
	b := realPart("linux with quotas")
	b.Model = "model with quotas"
	why := looptest.Quotas(t)
	b.Lacks = func(need string) string {
		if need == conform.Quotas && why != nil {
			return why.Error()
		}
		return ""
	}
	conform.StoreQuotas(t, b, func(t *testing.T) conform.StoreSetup {
		return newStoreLab(t, looptest.Options{Quotas: why == nil}, false)
	})
}

// grower writes to containers below a folder, as a guest does whose server has no privileges: the
// kernel takes anything from others.
func grower(root string) func(v device.VolumeSeen, size int) error {
	return func(v device.VolumeSeen, size int) error {
		ended := make(chan error, 1)
		go func() {
			runtime.LockOSThread() // for good: it is not given its privileges back
			path := filepath.Join(root, v.Path, "rootfs", "grown")
			err := without(unix.CAP_SYS_RESOURCE)
			if err == nil {
				var f *os.File
				if f, err = os.Create(path); err == nil {
					_, err = f.Write(make([]byte, size))
					err = errors.Join(err, f.Close())
				}
			}
			ended <- err
		}()
		err := <-ended
		if errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.ENOSPC) || err == nil {
			return err
		}
		return errors.Join(errors.New("the test itself"), err)
	}
}

// without takes a privilege from the thread.
func without(privilege int) error {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&h, &data[0]); err != nil {
		return err
	}
	data[privilege/32].Effective &^= 1 << (privilege % 32)
	return unix.Capset(&h, &data[0])
}
