package scenarios

import (
	"net/url"
	"time"

	. "github.com/onsi/gomega" //nolint:staticcheck // matchers read as sentences

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/device/store"
	deviceweb "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/network"
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

// proxyLogin is a device whose only way out is a proxy that asks for a login, which the installer's
// bootstrap configuration has.
var proxyLogin = scenario.New("proxy-login", func(s *scenario.S) {
	const word = "s3same:with/signs@in it"
	login := func(user, word string) func(*fleet.Draft) *fleet.Draft {
		return func(d *fleet.Draft) *fleet.Draft {
			return d.MgmtPort("eth0", 0,
				fleet.Proxy(url.UserPassword(user, word).String()+"@10.82.0.40", 9090, ""))
		}
	}
	m := walled()
	m.Endpoints.ExplicitProxies[0].Users = []world.User{{Username: "alice", Password: word}}
	d := s.Device("edge", around(m, bootstrap(s, login("alice", word)(fleet.NewDraft("edge")))))
	onboards(s, d, login("alice", word))
	stands := func() any {
		for _, l := range scenario.Rows(d, network.DPCL) {
			for _, c := range l.PortConfigList {
				if c.Ports[0].ProxyConfig.Proxies != nil {
					return c.Ports[0].ProxyConfig.Proxies[0].Server
				}
			}
		}
		return ""
	}
	s.Eventually(stands, time.Minute).Should(MatchRegexp(
		`^config:[0-9a-f-]{36}:server:[0-9a-f]{4}@10\.82\.0\.40$`))

	// What outlives a power cut is the reference; the disk has what it stands for.
	before := stands()
	d.PowerCut(5 * time.Second)
	s.Wait(10 * time.Second)
	up(s, d, "web")
	s.Eventually(configError(d), 5*time.Minute).Should(BeEmpty())
	s.Eventually(stands, time.Minute).Should(Equal(before))

	delete(d.Twin().Board.Disk.Files, store.BootstrapConfig) // it has served
	// A wrong password is another reference. It does not work, and the device falls back to the ports
	// with the old one, which only they name in the end. It must not be lost with the power.
	d.Set(login("alice", "wrong")(d.Config()))
	s.Wait(30 * time.Minute)
	if now := stands(); now == before {
		s.Fail("another password has the reference %v", now)
	}
	for range 2 {
		d.PowerCut(5 * time.Second)
		s.Wait(10 * time.Minute)
		s.Eventually(configError(d), 10*time.Minute).Should(BeEmpty())
		n := polled(d)
		s.Eventually(func() any { return polled(d) }, 10*time.Minute).Should(BeNumerically(">", n+1))
	}
})
