package providers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	appleAudience = "https://appleid.apple.com"

	// appleSecretLife is short, where Apple takes six months: what leaks by way of
	// a log or a proxy is then of use for a day, and the key itself never leaves.
	// No server has to remember in half a year that something must be renewed.
	appleSecretLife = 24 * time.Hour
)

// appleSecret makes client secrets out of the private key (Apple, "Creating a
// client secret"), and keeps one for half its life.
type appleSecret struct {
	cfg AppleConfig

	mu      sync.Mutex
	secret  Secret
	renewAt time.Time
}

func newAppleSecret(cfg AppleConfig) *appleSecret { return &appleSecret{cfg: cfg} }

// current is a secret that is good for half a day at least.
func (s *appleSecret) current() (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !s.secret.IsZero() && now.Before(s.renewAt) {
		return s.secret, nil
	}
	secret, err := s.sign(now)
	if err != nil {
		return Secret{}, err
	}
	s.secret, s.renewAt = secret, now.Add(appleSecretLife/2)
	return secret, nil
}

func (s *appleSecret) sign(now time.Time) (Secret, error) {
	switch {
	case s.cfg.TeamID == "":
		return Secret{}, errors.New("AppleConfig.TeamID is empty: copy the team's ID from Apple's developer account")
	case s.cfg.KeyID == "":
		return Secret{}, errors.New("AppleConfig.KeyID is empty: copy the ID of the key whose .p8 file PrivateKey holds")
	}
	key, err := applePrivateKey(s.cfg.PrivateKey)
	if err != nil {
		return Secret{}, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: s.cfg.KeyID}}, nil)
	if err != nil {
		return Secret{}, errors.New("AppleConfig.PrivateKey cannot sign")
	}
	payload, err := json.Marshal(map[string]any{
		"iss": s.cfg.TeamID,
		"iat": now.Unix(),
		"exp": now.Add(appleSecretLife).Unix(),
		"aud": appleAudience,
		"sub": s.cfg.ClientID,
	})
	if err != nil {
		return Secret{}, errors.New("the claims do not encode")
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return Secret{}, errors.New("AppleConfig.PrivateKey cannot sign")
	}
	text, err := signed.CompactSerialize()
	return NewSecret(text), err
}

// applePrivateKey reads a .p8 file: PKCS #8 in PEM.
func applePrivateKey(text Secret) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return nil, errors.New("AppleConfig.PrivateKey is not PEM: give the whole text of the .p8 file, its first and last line included")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("AppleConfig.PrivateKey is not a key on P-256: give the .p8 file that Apple made for Sign in with Apple")
	}
	return key, nil
}
