package testserver

import (
	"errors"
	"strconv"
	"testing"
)

// Cluster is a Redis Cluster of three masters without replicas.
type Cluster struct {
	// Nodes are the masters, each with a third of the slots.
	Nodes []*Redis
}

const (
	masters = 3
	slots   = 16384
	// busDistance is how far above its port a node listens for the others.
	busDistance = 10_000
)

// NewCluster starts three servers that end with the test, and returns when each
// of them knows who has which slot.
func NewCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c := new(Cluster)
	for i := range masters {
		node := newRedis(t, freePort(t, busDistance), append(settings, "cluster-enabled yes")...)
		c.Nodes = append(c.Nodes, node)
		mine := []string{"CLUSTER", "ADDSLOTS"}
		for slot := i * slots / masters; slot < (i+1)*slots/masters; slot++ {
			mine = append(mine, strconv.Itoa(slot))
		}
		node.Do(mine...)
		node.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		for _, earlier := range c.Nodes[:i] { // each other, because hearsay takes seconds
			node.Do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(earlier.port))
		}
	}
	for _, node := range c.Nodes {
		node.process.await(func() error {
			return errors.Join(
				says(node.Addr(), "cluster_state:ok", "CLUSTER", "INFO"),
				says(node.Addr(), "cluster_known_nodes:"+strconv.Itoa(masters), "CLUSTER", "INFO"),
				says(node.Addr(), "cluster_slots_ok:"+strconv.Itoa(slots), "CLUSTER", "INFO"),
			)
		})
	}
	return c
}

// Addrs are where the nodes listen.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, node := range c.Nodes {
		addrs[i] = node.Addr()
	}
	return addrs
}
