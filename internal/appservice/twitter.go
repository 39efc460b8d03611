package appservice

// Twitter is Twitter, or X, by OAuth 1.0a: there is nothing to say about its login.
type Twitter struct {
	Offer
	Registration *TwitterRegistration
}

// TwitterRegistration is this application at Twitter, where its parts have names
// of their own.
type TwitterRegistration struct{ ConsumerKey, ConsumerSecretSettingName string }

// Offered reports whether users may sign in with Twitter.
func (t *Twitter) Offered() bool { return t != nil && t.Registration != nil && !t.off() }

func (t *Twitter) members() []member {
	return []member{t.member(), present("registration", &t.Registration)}
}

func (r *TwitterRegistration) members() []member {
	return []member{
		word("consumerKey", &r.ConsumerKey),
		word("consumerSecretSettingName", &r.ConsumerSecretSettingName),
	}
}

func (r *TwitterRegistration) check(at string, mistakes *Mistakes) {
	need(at, "consumerKey", r.ConsumerKey, mistakes)
	need(at, "consumerSecretSettingName", r.ConsumerSecretSettingName, mistakes)
}
