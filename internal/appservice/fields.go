package appservice

// fields is a group without a type of its own.
type fields []member

func (f fields) members() []member { return f }
