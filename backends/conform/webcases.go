package conform

// webCases are all cases on part web.
func webCases() []Group[*webBench] {
	return []Group[*webBench]{
		{Name: "answers", Cases: webAnswerCases()},
		{Name: "ways", Cases: webWayCases()},
		{Name: "names", Cases: webNameCases()},
		{Name: "TLS", Cases: webTLSCases()},
		{Name: "proxies", Cases: webProxyCases()},
		{Name: "secrets", Cases: webSecretCases()},
		{Name: "downloads", Cases: webFetchCases()},
		{Name: "kept downloads", Cases: webKeptCases()},
	}
}

func webAnswerCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "an exchange", Run: (*webBench).hello, Clause: "Send makes one exchange"},
		{Name: "what is sent", Run: (*webBench).echo,
			Clause: "method, headers and body go out as they are; headers come in canonical form, sorted"},
		{Name: "every code", Run: (*webBench).codes,
			Clause: "SendRes is an answer, whatever its status code"},
		{Name: "somewhere else", Run: (*webBench).moved,
			Clause: "an answer that it is elsewhere is an answer"},
		{Name: "without a length", Run: (*webBench).chunked, Clause: "Body is all of the answer"},
		{Name: "slow", Run: (*webBench).slow, Clause: "Took is how long it took"},
		{Name: "too slow", Run: (*webBench).hang, Clause: "Timeout: limit for all; FaultTimeout"},
		{Name: "too large", Run: (*webBench).large, Clause: "MaxBody: more answers FaultTooLarge"},
		{Name: "broken off", Run: (*webBench).short, Clause: "the connection broke: FaultReset"},
		{Name: "cancelled", Run: (*webBench).cancelSend,
			Loose:  "a cancelled call may still take effect",
			Clause: "a call that is cancelled ends within a second"},
		{Name: "many at once", Run: (*webBench).together, Loose: "eight calls end in any order",
			Clause: "Send has a width of 8"},
	}
}

func webWayCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "another port", Run: (*webBench).otherPort,
			Clause: "the source address selects the route"},
		{Name: "IPv6", Run: (*webBench).overSix,
			Clause: "a host is asked for of the IP version of the source address"},
		{Name: "no such address", Run: (*webBench).noAddress,
			Clause: "FaultNoAddress: the source address is not on the interface"},
		{Name: "no URL", Run: (*webBench).noURL,
			Clause: "FaultRefusedURL: the URL makes no sense; it does not set Retry"},
		{Name: "nothing listens", Run: (*webBench).nothingListens,
			Clause: "FaultConnRefused: connection refused"},
		{Name: "no way", Run: (*webBench).noWay,
			Clause: "FaultUnreachable: no route, or told so by a router"},
		{Name: "no answer", Run: (*webBench).noAnswer,
			Clause: "Dial: limit for connecting; FaultTimeout"},
		{Name: "a cable is pulled", Run: (*webBench).cablePulled,
			Clause: "FaultUnreachable: no route; it sets Retry"},
	}
}

func webNameCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "no such name", Run: (*webBench).noName,
			Clause: "FaultNotFound: the name does not exist"},
		{Name: "no such address of the version", Run: (*webBench).noVersion,
			Clause: "FaultNotFound: the name does not exist"},
		{Name: "no server", Run: (*webBench).noServer, Clause: "FaultNoDNS: no server to ask"},
		{Name: "none answers", Run: (*webBench).silentServer,
			Clause: "FaultNoDNS: none answers; Dial limits names, too"},
		{Name: "all refuse", Run: (*webBench).lameServer, Clause: "FaultNoDNS: none answers"},
		{Name: "the second answers", Run: (*webBench).secondServer,
			Clause: "DNS are servers to ask, through this interface"},
		{Name: "by address", Run: (*webBench).byAddress, Clause: "an address needs no server"},
	}
}

func webTLSCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "the system's roots", Run: (*webBench).publicRoot, Clause: "TLSWeb: system roots"},
		{Name: "the controller's root", Run: (*webBench).controllerRoot,
			Clause: "TLSController: system roots, root-certificate.pem and Via.RootPEM"},
		{Name: "further roots", Run: (*webBench).moreRoots, Clause: "TLSWeb: Via.RootPEM"},
		{Name: "nobody's root", Run: (*webBench).unknownRoot,
			Clause: "FaultCertUnknown: signed by an authority that is not trusted"},
		{Name: "wrong time or name", Run: (*webBench).invalidCert,
			Clause: "FaultCertInvalid: expired, not yet valid, wrong name"},
		{Name: "one side speaks no TLS", Run: (*webBench).noTLS, Clause: "FaultReset"},
	}
}

func webProxyCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "http", Run: (*webBench).proxied, Clause: "Proxy: URL of an explicit proxy"},
		{Name: "https", Run: (*webBench).tunnelled, Clause: "the server's certificate counts"},
		{Name: "proxy that speaks TLS", Run: (*webBench).proxyTLS,
			Clause: "Via.RootPEM: proxy CAs of the port"},
		{Name: "login", Run: (*webBench).proxyLogin,
			Clause: "FaultProxy: the proxy refuses or asks for a login"},
		{Name: "forbidden", Run: (*webBench).proxyForbids, Clause: "FaultProxy: the proxy refuses"},
		{Name: "no proxy", Run: (*webBench).noProxy,
			Clause: "what is wrong on the way to the proxy is wrong with the exchange"},
	}
}

func webSecretCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "a configuration", Run: (*webBench).keptConfig,
			Clause: "KeepConfig: the body of a 2xx comes as secret.Keeper.Answer leaves it"},
		{Name: "a login", Run: (*webBench).loginByReference,
			Clause: "Login are credentials by reference"},
		{Name: "a login at a proxy", Run: (*webBench).proxyByReference,
			Clause: "a URL, of the target or of a proxy, may have one reference"},
		{Name: "a token", Run: (*webBench).keptToken,
			Clause: "KeepToken: the body of a 200 comes as secret.Keeper.Token leaves it"},
		{Name: "nobody knows it", Run: (*webBench).unknownReference,
			Clause: "FaultSecret: nobody knows what a reference of credentials stands for"},
		{Name: "power cut", Run: (*webBench).forgotten,
			Clause: "references are known until the power is cut"},
	}
}

func webFetchCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "a file", Run: (*webBench).file, Clause: "Fetch downloads into a partial file"},
		{Name: "again", Run: (*webBench).fileAgain,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "broken off", Run: (*webBench).brokenOff,
			Clause: "from where it stands: with a Range request if the server takes them"},
		{Name: "another content", Run: (*webBench).otherContent,
			Clause: "and the content has not changed, else from the start"},
		{Name: "content without a name", Run: (*webBench).withoutTag,
			Clause: "and the content has not changed, else from the start"},
		{Name: "too large", Run: (*webBench).tooLarge, Clause: "MaxSize: FaultTooLarge"},
		{Name: "wrong requests", Run: (*webBench).errorCode,
			Clause: "FaultStatus: the server answered with an error code; FaultRefusedURL"},
		{Name: "elsewhere", Run: (*webBench).fileElsewhere,
			Clause: "a server may send a download elsewhere"},
		{Name: "no byte comes", Run: (*webBench).stalled,
			Clause: "Stalled: give up when no byte came for so long"},
		{Name: "a cable is pulled", Run: (*webBench).fileCable,
			Clause: "observations change without ops: a cable is pulled"},
	}
}

func webKeptCases() []Case[*webBench] {
	return []Case[*webBench]{
		{Name: "cancelled", Run: (*webBench).cancelFetch,
			Loose:  "a cancelled call may still take effect",
			Clause: "a call that is cancelled ends within a second; what it had done stays"},
		{Name: "removed", Run: (*webBench).removed,
			Clause: "RemovePartial deletes a partial; undoing what is not there is a success"},
		{Name: "it becomes a blob", Run: (*webBench).becomesBlob,
			Clause: "a partial that the part store takes is seen no more"},
		{Name: "somebody deletes it", Run: (*webBench).deletes,
			Clause: "observations change without ops: what somebody deleted is not seen"},
		{Name: "no room", Run: (*webBench).noRoom, Clause: "FaultNoSpace: the disk is full"},
		{Name: "power cut", Run: (*webBench).cutHalfway,
			Loose:  "how much was durable is chance",
			Clause: "after a boot what was durable is here again"},
		{Name: "whole after a power cut", Run: (*webBench).wholeAfterCut,
			Clause: "PartialSeen survives reboots"},
	}
}
