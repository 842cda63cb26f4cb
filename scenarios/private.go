package scenarios

import (
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/fleet"
	deviceweb "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// What private datastores want to see.
const (
	fileToken     = "sesame-for-files"
	registryUser  = "alice"
	registryWord  = "sesame-for-images"
	tokenLifetime = 2 * time.Minute
)

// guarded has both datastores ask for credentials: the files want a header, the registry a token
// for user and password.
func guarded(s *scenario.S) {
	s.Site().Store(scenario.Files).Guard(data.Guard{Files: "Bearer " + fileToken})
	s.Site().Store(scenario.Registry).Guard(data.Guard{User: registryUser, Password: registryWord,
		Realm: "https://" + scenario.Registry + data.TokenPath, Lasts: tokenLifetime})
}

// https moves the files to TLS, without which no credentials are sent. What they are stays.
func https(d *fleet.Draft) *fleet.Draft {
	return d.Edit(func(c *config.EdgeDevConfig) {
		for _, ds := range c.GetDatastores() {
			if ds.GetDType() == config.DsType_DsHttp {
				ds.DType, ds.Fqdn = config.DsType_DsHttps, "https://"+scenario.Files
				ds.ApiKey, ds.Password = "Bearer", fileToken
			}
		}
	})
}

// private is the web application and one with a disk, from datastores with credentials.
func private(s *scenario.S, d *scenario.D, file, word string) *fleet.Draft {
	return https(diskApp(s, web(s, d), "disk", 1<<20)).
		Edit(func(c *config.EdgeDevConfig) {
			for _, ds := range c.GetDatastores() {
				ds.ApiKey, ds.Password = registryUser, word
				if ds.GetDType() == config.DsType_DsHttps {
					ds.ApiKey, ds.Password = "Bearer", file
				}
			}
		})
}

var privateDatastores = scenario.New("private-datastores", func(s *scenario.S) {
	guarded(s)
	d := s.Device("edge")
	d.Onboard()
	d.Apply(private(s, d, "wrong", "wrong too"))
	s.Eventually(d.AppError("web"), 5*time.Minute).Should(ContainSubstring(
		"token server answered 401"))
	s.Eventually(d.AppError("disk"), 5*time.Minute).Should(ContainSubstring("401 Unauthorized"))
	s.Consistently(d.AppState("web"), 5*time.Minute).ShouldNot(Equal("RUNNING"))

	// Other words under the same names are noticed.
	d.Apply(private(s, d, fileToken, registryWord))
	up(s, d, "web")
	up(s, d, "disk")
	s.Eventually(d.AppError("web"), time.Minute).Should(BeEmpty())

	// A token that is over is replaced.
	before := s.Site().Store(scenario.Registry).Tokens()
	s.Wait(2 * tokenLifetime)
	s.Publish("web", "2")
	d.Apply(d.Config().Image(fleet.Image{Name: "web2", Store: "registry", URL: "web:2"}).
		Volume(fleet.Volume{Name: "web", Image: "web2"}).PurgeApp("web"))
	s.Eventually(func() any { return s.Site().Store(scenario.Registry).Tokens() }, patience).
		Should(BeNumerically(">", before))
	up(s, d, "web")
	s.Eventually(d.Answers("web", 8080), 2*time.Minute).Should(BeTrue())

	// After a power cut the device has its credentials from the saved configuration alone.
	d.Apply(https(diskApp(s, d.Config(), "late", 8<<20)))
	s.Slow(d, "eth0", 500)
	s.Eventually(func() any { return scenario.Rows(d, deviceweb.Partials) }, patience).
		ShouldNot(BeEmpty())
	d.Twin().World.SetServer(world.ControllerLabel, world.Silent)
	d.PowerCut(5 * time.Second)
	s.Wait(10 * time.Second)
	up(s, d, "late")
	up(s, d, "web")
})
