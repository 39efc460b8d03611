package appservice

// Platform is whether the feature is on.
type Platform struct {
	Enabled *bool // nil: not said, which is on for who reads the file
}

func (p *Platform) members() []member {
	return []member{
		maybe("enabled", &p.Enabled),
		ignored("runtimeVersion", text), // there is one version: the one that is linked in
		ignored("configFilePath", text), // this is the file
	}
}
