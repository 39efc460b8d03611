package redisstore

// channel is what the watches of one key share.
type channel struct {
	watches []chan<- struct{}
	settled chan struct{} // closed when it is known whether the subscription works
	err     error         // why it does not
}

func (c *channel) isSettled() bool {
	select {
	case <-c.settled:
		return true
	default:
		return false
	}
}

// tell tells all watches, and waits for none.
func (c *channel) tell() {
	for _, told := range c.watches {
		select {
		case told <- struct{}{}:
		default:
		}
	}
}
