package fault

// Menu is what a device and its outside offer to faults, by name.
type Menu struct {
	Ops        []string `json:"ops,omitempty"`        // "store.Write"
	Agents     []string `json:"agents,omitempty"`     // "zedagent"
	Interfaces []string `json:"interfaces,omitempty"` // "eth0"
	Networks   []string `json:"networks,omitempty"`   // labels of the network model
	Resolvers  []string `json:"resolvers,omitempty"`  // labels of its DNS servers
	Proxies    []string `json:"proxies,omitempty"`    // labels of its proxies
	Hosts      []string `json:"hosts,omitempty"`      // names of servers of the outside
	Endpoints  []string `json:"endpoints,omitempty"`  // of the controller; "" is all of them
}

// Of is what the menu has of a sort.
func (m *Menu) Of(w What) []string {
	switch w {
	case AnOp:
		return m.Ops
	case AnAgent:
		return m.Agents
	case AnInterface:
		return m.Interfaces
	case ANetwork:
		return m.Networks
	case AResolver:
		return m.Resolvers
	case AProxy:
		return m.Proxies
	case AHost:
		return m.Hosts
	case AnEndpoint:
		return m.Endpoints
	}
	return nil
}
