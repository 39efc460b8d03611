package providertest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Remember makes the provider survive its process, as a real one does: it takes
// over what an earlier provider left in file (signing keys, people's sign-ins,
// grants and tokens) and writes every change there before it is answered. The
// file holds live tokens; it is made with mode 0600. An error leaves the
// provider as it was.
func (s *Server) Remember(file string) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("providertest: memory refused: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(text) > 0 {
		var m memory
		if err := json.Unmarshal(text, &m); err != nil {
			return fmt.Errorf("providertest: memory refused: %s was not written by a provider: remove it", file)
		}
		if err := s.recall(m); err != nil {
			return fmt.Errorf("providertest: memory refused: %s: %w", file, err)
		}
	}
	s.keys.current() // a key that is made later would be missing in the file
	if text, err = s.memorize(); err == nil {
		err = replaceFile(file, text)
	}
	if err != nil {
		return fmt.Errorf("providertest: memory refused: %w", err)
	}
	s.mu.changed = func() {
		if now, err := s.memorize(); err == nil && !bytes.Equal(now, text) && replaceFile(file, now) == nil {
			text = now
		}
	}
	return nil
}

// watched is a mutex that tells when what it guards may have changed, while
// that is still guarded.
type watched struct {
	sync.Mutex
	changed func() // nil: nobody wants to know
}

// Unlock tells, and unlocks.
func (m *watched) Unlock() {
	if m.changed != nil {
		m.changed()
	}
	m.Mutex.Unlock()
}

// memory is a provider's state as a file holds it. Tokens and grants refer to
// each other by name.
type memory struct {
	Keys    []memoryKey
	Users   map[string]User
	Logins  map[string]memoryLogin
	Grants  map[string]memoryGrant
	Refresh map[string]memoryRefresh
	Access  map[string]memoryAccess
	Met     map[string]bool
}

type memoryKey struct {
	ID, Algorithm string
	PKCS8         []byte
}

type memoryLogin struct {
	SID, User   string
	At, Expires time.Time
	Consents    map[string]bool
}

type memoryGrant struct {
	Client, User, Nonce string
	Scopes, Resources   []string
	AuthTime, Expires   time.Time
	Login               string
	Revoked, Refreshed  bool
}

type memoryRefresh struct {
	Grant             string
	Expires, FirstUse time.Time
	Successors        []string
	Answer            *memoryAnswer
}

type memoryAnswer struct {
	Access, Refresh string
	IDToken         bool
}

type memoryAccess struct {
	Grant    string
	Scopes   []string
	Audience string
	Expires  time.Time
	Dead     bool
}

// memorize writes the state down. The caller holds s.mu.
func (s *Server) memorize() ([]byte, error) {
	m := memory{
		Users:   s.users,
		Logins:  make(map[string]memoryLogin),
		Grants:  make(map[string]memoryGrant),
		Refresh: make(map[string]memoryRefresh),
		Access:  make(map[string]memoryAccess),
		Met:     s.met,
	}
	for _, k := range s.keys.published() {
		der, err := x509.MarshalPKCS8PrivateKey(k.signer)
		if err != nil {
			return nil, err
		}
		m.Keys = append(m.Keys, memoryKey{k.id, k.algorithm, der})
	}
	for id, l := range s.logins {
		m.Logins[id] = memoryLogin{l.sid, l.user, l.at, l.expires, l.consents}
	}
	for id, g := range s.grants {
		kept := memoryGrant{g.client, g.user, g.nonce, g.scopes, g.resources, g.authTime, g.expires, "", g.revoked, g.refreshed}
		if g.login != nil {
			kept.Login = g.login.id
		}
		m.Grants[id] = kept
	}
	for value, t := range s.refresh {
		kept := memoryRefresh{Grant: t.grant.id, Expires: t.expires, FirstUse: t.firstUse}
		for _, next := range t.successors {
			kept.Successors = append(kept.Successors, next.value)
		}
		if t.answer != nil {
			kept.Answer = &memoryAnswer{Access: t.answer.access.value, IDToken: t.answer.idToken}
			if t.answer.refresh != nil {
				kept.Answer.Refresh = t.answer.refresh.value
			}
		}
		m.Refresh[value] = kept
	}
	for value, t := range s.access {
		m.Access[value] = memoryAccess{t.grant.id, t.scopes, t.audience, t.expires, t.dead}
	}
	return json.Marshal(m)
}

// recall takes over what memorize wrote. The caller holds s.mu.
func (s *Server) recall(m memory) error {
	var keys []signingKey
	for _, k := range m.Keys {
		key, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return errors.New("a signing key in it cannot be read: remove the file")
		}
		keys = append(keys, signingKey{k.ID, k.Algorithm, signer})
	}
	s.keys.replace(keys)
	for name, u := range m.Users {
		if _, configured := s.users[name]; !configured {
			s.users[name] = u
		}
	}
	maps.Copy(s.met, m.Met)
	for id, l := range m.Logins {
		s.logins[id] = &login{id: id, sid: l.SID, user: l.User, at: l.At, expires: l.Expires, consents: l.Consents}
	}
	for id, g := range m.Grants {
		s.grants[id] = &grant{id: id, client: g.Client, user: g.User, nonce: g.Nonce, scopes: g.Scopes, resources: g.Resources,
			authTime: g.AuthTime, expires: g.Expires, login: s.logins[g.Login], revoked: g.Revoked, refreshed: g.Refreshed}
	}
	for value, t := range m.Access {
		if g := s.grants[t.Grant]; g != nil {
			s.access[value] = &accessToken{value: value, grant: g, scopes: t.Scopes, audience: t.Audience, expires: t.Expires, dead: t.Dead}
			s.secrets.add(value)
		}
	}
	for value, t := range m.Refresh {
		if g := s.grants[t.Grant]; g != nil {
			s.refresh[value] = &refreshToken{value: value, grant: g, expires: t.Expires, firstUse: t.FirstUse}
			s.secrets.add(value)
		}
	}
	for value, t := range m.Refresh { // now that all of them are there
		r := s.refresh[value]
		if r == nil {
			continue
		}
		for _, next := range t.Successors {
			if successor := s.refresh[next]; successor != nil {
				r.successors = append(r.successors, successor)
			}
		}
		if a := t.Answer; a != nil && s.access[a.Access] != nil {
			r.answer = &issued{grant: r.grant, user: s.users[r.grant.user], access: s.access[a.Access], refresh: s.refresh[a.Refresh], idToken: a.IDToken}
		}
	}
	return nil
}

// replaceFile writes a file so that a reader, or a crash, finds the old text or
// the new one.
func replaceFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
