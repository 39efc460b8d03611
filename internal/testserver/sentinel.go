package testserver

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Sentinel is a master with two replicas, watched by three sentinels, which
// make another one master about a second after the first is gone.
type Sentinel struct {
	// Name is what the sentinels call the master.
	Name string
	// Nodes are the servers. The first is the master, until that fails.
	Nodes []*Redis

	t     testing.TB
	addrs []string
}

const (
	sentinels = 3
	replicas  = 2
	quorum    = 2
)

// NewSentinel starts six servers that end with the test, and returns when they
// know one another and both replicas follow. The settings are those of the
// master and of the replicas.
func NewSentinel(t testing.TB, settings ...string) *Sentinel {
	t.Helper()
	server := program(t, []string{"redis-sentinel", "valkey-sentinel"})
	settings = append([]string{"repl-diskless-sync-delay 0"}, settings...) // a replica need not wait for others
	master := NewRedis(t, settings...)
	s := &Sentinel{t: t, Name: "main", Nodes: []*Redis{master}}
	for range replicas {
		s.Nodes = append(s.Nodes, NewRedis(t, append(settings, fmt.Sprintf("replicaof 127.0.0.1 %d", master.port))...))
	}
	for _, replica := range s.Nodes[1:] {
		replica.process.await(func() error { return says(replica.Addr(), "master_link_status:up", "INFO", "replication") })
	}
	watchers := make([]*process, sentinels)
	for i := range watchers {
		port, folder := freePort(t), t.TempDir()
		s.addrs = append(s.addrs, address(port))
		file := configure(t, filepath.Join(folder, "sentinel.conf"), []string{
			"bind 127.0.0.1",
			"port " + strconv.Itoa(port),
			"dir " + folder,
			fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d %d", s.Name, master.port, quorum),
			"sentinel down-after-milliseconds " + s.Name + " 500",
			"sentinel failover-timeout " + s.Name + " 3000",
		})
		watchers[i] = start(t, exec.Command(server, file), syscall.SIGKILL)
	}
	for i, w := range watchers {
		w.await(func() error {
			return errors.Join(
				says(s.addrs[i], fmt.Sprintf("num-slaves\n%d", replicas), "SENTINEL", "MASTER", s.Name),
				says(s.addrs[i], fmt.Sprintf("num-other-sentinels\n%d", sentinels-1), "SENTINEL", "MASTER", s.Name),
				says(s.addrs[i], fmt.Sprintf("OK %d usable", sentinels), "SENTINEL", "CKQUORUM", s.Name),
			)
		})
	}
	return s
}

// Addrs are where the sentinels listen.
func (s *Sentinel) Addrs() []string { return s.addrs }

// Master is the server that the sentinels call master at the moment.
func (s *Sentinel) Master() *Redis {
	s.t.Helper()
	answer, err := ask(s.addrs[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.Name)
	if err != nil {
		s.t.Fatalf("testserver: sentinel: %v", err)
	}
	for _, node := range s.Nodes {
		if answer == "127.0.0.1\n"+strconv.Itoa(node.port) {
			return node
		}
	}
	s.t.Fatalf("testserver: sentinel: %q is none of ours", answer)
	return nil
}

// says asks a server, and returns an error if the answer does not hold text.
func says(addr, text string, command ...string) error {
	answer, err := ask(addr, command...)
	if err == nil && !strings.Contains(answer, text) {
		err = fmt.Errorf("%s says %q, without %q", addr, answer, text)
	}
	return err
}
