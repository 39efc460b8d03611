package providertest

import "slices"

// maxSecrets bounds what a provider that runs for days remembers.
const maxSecrets = 20_000

// secretLog holds every secret that passed through, each once, oldest first.
type secretLog struct {
	list []string
	seen map[string]bool
}

func (l *secretLog) add(secret string) {
	if secret == "" || l.seen[secret] {
		return
	}
	if l.seen == nil {
		l.seen = make(map[string]bool)
	}
	if len(l.list) == maxSecrets {
		delete(l.seen, l.list[0])
		l.list = l.list[1:]
	}
	l.list = append(l.list, secret)
	l.seen[secret] = true
}

// Secrets returns every code, access, refresh, ID and logout token and login
// cookie that the provider issued, and every state, nonce, code verifier and client
// secret that it saw, so that a test can search the logs of an application for
// them. It keeps the latest 20,000.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.secrets.list)
}
