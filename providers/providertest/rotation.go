package providertest

// Rotation says what happens to a refresh token once it was used.
type Rotation int

const (
	// Strict: a used token is dead. Using it again revokes its whole family.
	Strict Rotation = iota
	// Graced: within the window, using it again mints another pair beside the
	// first. Later use is reuse, as under Strict.
	Graced
	// GracedSame: within the window, using it again returns the same pair.
	GracedSame
	// GracedPrevious is Graced as long as no successor was used: only the
	// latest generation but one may come back.
	GracedPrevious
	// Reusable: the token stays valid and no other is issued.
	Reusable
	// ReusableRenewed: every use issues another one, and all stay valid.
	ReusableRenewed
)
