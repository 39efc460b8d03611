package appservice

// Facebook is Facebook Login.
type Facebook struct {
	Offer
	Registration    *FacebookRegistration
	GraphAPIVersion string
	Scopes          []string
}

// FacebookRegistration is this application at Facebook, where its parts have
// names of their own.
type FacebookRegistration struct{ AppID, AppSecretSettingName string }

// Offered reports whether users may sign in with Facebook.
func (f *Facebook) Offered() bool { return f != nil && f.Registration != nil && !f.off() }

func (f *Facebook) members() []member {
	return []member{
		f.member(),
		present("registration", &f.Registration),
		word("graphApiVersion", &f.GraphAPIVersion),
		holding("login", fields{scopes(&f.Scopes)}),
	}
}

func (r *FacebookRegistration) members() []member {
	return []member{
		word("appId", &r.AppID),
		word("appSecretSettingName", &r.AppSecretSettingName),
	}
}

func (r *FacebookRegistration) check(at string, mistakes *Mistakes) {
	need(at, "appId", r.AppID, mistakes)
	need(at, "appSecretSettingName", r.AppSecretSettingName, mistakes)
}
