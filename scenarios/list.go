package scenarios

import (
	"fmt"
	"sort"

	"github.com/evetwin/evetwin/scenarios/scenario"
)

// All are all scenarios, by name.
func All() []*scenario.Scenario {
	list := []*scenario.Scenario{
		quickstart, portFailover, configFallback, appRestart, appPurge, appRemove, controller503,
		wrongSha, powerCutWhileDownloading, agentCrashes, lifeCrashes, lifePowerCuts, fullDisk,
		diskFullInDownload, downloadCut, cableInDownload, badAnswers, badConfigs, badObjects,
		bigConfig, configRotation, controllerFaults, epochChange, maintenance, rebootCommand,
		offlineBoot, wrongClock, dhcpGone, cableFlaps, sharedImage, appReplace, tenApps,
		liveEdits, staticOverride, staticBootstrap, vlanBootstrap, proxyBootstrap, noBootstrap,
		spoiledSettings, fiftyApps, manyBlobs, manyNetworks, configChurn, restartChurn, damagedFiles,
		stagedAdapters, standard, offlineWeeks, emptyWireless, linuxHeals,
		privateDatastores, proxyLogin, appMetadata, flowLog, portsByHand,
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// Find is the scenario of a name.
func Find(name string) (*scenario.Scenario, error) {
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no scenario %q; \"evetwin scenarios\" lists them", name)
}
