package dryrun

// Report is what a run came to; its JSON is the contract of "evetwin try". Lists are never null.
type Report struct {
	OK    bool   `json:"ok"` // onboarded and settled
	Error string `json:"error,omitempty"`
	// Settled: nothing is in progress any more. Onboarded: the controller knows the device.
	Settled          bool       `json:"settled"`
	Arch             string     `json:"arch"` // of the device: "amd64", "arm64"; empty while off
	Onboarded        bool       `json:"onboarded"`
	VirtualS         float64    `json:"virtual_s"`
	Ports            []Port     `json:"ports"`
	PortConfigs      []PortPlan `json:"port_configs"`
	NetworkInstances []Instance `json:"network_instances"`
	Content          []Content  `json:"content_trees"`
	Volumes          []Volume   `json:"volumes"`
	Applications     []App      `json:"applications"`
	Errors           []Trouble  `json:"errors"`
	UnknownFields    []string   `json:"unknown_fields"`
	MadeUp           []string   `json:"made_up"`
	Notes            []string   `json:"notes"`

	// busy lists what is in progress, for people.
	busy []string
}

// Port is a port of the configuration in use.
type Port struct {
	Label     string   `json:"label"`
	Interface string   `json:"interface"`
	Up        bool     `json:"up"` // carrier
	Mgmt      bool     `json:"mgmt"`
	Addresses []string `json:"addresses"` // that may be a source: no link-local ones
	DNS       []string `json:"dns"`
	Error     string   `json:"error"`
}

// PortPlan is a port configuration in the device's list, the best first.
type PortPlan struct {
	Key   string `json:"key"`
	State string `json:"state"` // EVE's name of it
	Error string `json:"error"`
	// InUse marks the one in use.
	InUse bool `json:"in_use"`
}

// Instance is a network instance.
type Instance struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	State string `json:"state"` // INIT, ONLINE, OFFLINE (not activated) or ERROR
	Error string `json:"error"`
}

// Content is a content tree.
type Content struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	State    string `json:"state"` // EVE's name of it
	Progress int    `json:"progress"`
	Error    string `json:"error"`
}

// Volume is a volume.
type Volume struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	State    string `json:"state"` // EVE's name of it
	Progress int    `json:"progress"`
	Error    string `json:"error"`
}

// App is an application.
type App struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	State     string   `json:"state"` // EVE's name of it
	Addresses []string `json:"addresses"`
	Error     string   `json:"error"`
}

// Trouble is an error that an agent shows.
type Trouble struct {
	Agent    string `json:"agent"`
	Object   string `json:"object"`
	Severity string `json:"severity"`
	Text     string `json:"text"`
	Retry    string `json:"retry"` // when it is tried again, empty if it is not
}
