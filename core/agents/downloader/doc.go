// Package downloader is the agent that fetches content: files of HTTP datastores, blobs and
// manifests of container registries. It also finds out which hash a registry's tag stands for.
//
//	in   volumemgr/DownloaderConfig    blobs wanted
//	in   volumemgr/ResolveConfig       tags to resolve
//	in   zedagent/DatastoreConfig      where things are
//	in   nim/DeviceNetworkStatus       ports, addresses, proxies
//	in   zedagent/ConfigItemValueMap   retry and stall times, cost limit
//	in   web/PartialSeen               what lies on the disk, the truth about progress
//	out  downloader/DownloaderStatus, downloader/ResolveStatus, downloader/MetricsMap
//	local downloader/Job               how far each download and resolution is
//	local downloader/Access            what registries want to see, per repository
//	local downloader/Tally             exchanges not counted in MetricsMap yet
//	op   web.Fetch, web.Send, web.RemovePartial
//
// A job goes from route to route: each datastore in its order, and for each the source addresses of
// the management ports whose cost is allowed, cheapest first. It ends with the first route that
// gives the whole file; when no route is left it waits and begins anew.
//
//	            ┌──────────── another route ◀──────────┐
//	            ▼                                      │ fault
//	pick ──▶ probe ──401──▶ token ──▶ probe ──▶ fetch ─┴──whole──▶ DOWNLOADED
//	  ▲     (registries only)
//	  │ no route left
//	  └─wait: 0.3-1 x timer.download.retry, or until datastore, order or ports change
//
// Credentials and tokens are references all the way: the part web has what they stand for, shows
// them to the servers, and keeps the token out of the answer that brings it.
//
// A partial file outlives crash and reboot; what is whole on the disk is not fetched again. Release
// is a handshake: volumemgr sets RefCount to 0, which cancels; the status answers Expired;
// volumemgr withdraws the config; the partial is removed, and then the status.
package downloader
