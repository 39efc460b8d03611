package grant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
)

func TestPhasesOfAToken(t *testing.T) {
	for _, tt := range []struct {
		name            string
		life, refreshIn time.Duration
		phases          map[time.Duration]grant.Phase // by age
	}{
		{"an hour", time.Hour, 0, map[time.Duration]grant.Phase{
			0: grant.Fresh, 48 * time.Minute: grant.Fresh, 56 * time.Minute: grant.Aging,
			time.Hour - 30*time.Second: grant.Hard, time.Hour: grant.Expired}},
		{"A11 twenty seconds", 20 * time.Second, 0, map[time.Duration]grant.Phase{
			0: grant.Fresh, 13 * time.Second: grant.Fresh, 17 * time.Second: grant.Aging,
			19 * time.Second: grant.Hard, 20 * time.Second: grant.Expired}},
		{"the provider's own hint", 24 * time.Hour, 12 * time.Hour, map[time.Duration]grant.Phase{
			9 * time.Hour: grant.Fresh, 12 * time.Hour: grant.Aging}},
		{"a hint shorter than the jitter", time.Hour, time.Second, map[time.Duration]grant.Phase{
			0: grant.Fresh, time.Second: grant.Aging}},
		{"a second", time.Second, 0, map[time.Duration]grant.Phase{0: grant.Fresh, time.Second: grant.Expired}},
		{"not told", 0, 0, map[time.Duration]grant.Phase{0: grant.Unknown, 1000 * time.Hour: grant.Unknown}},
	} {
		for age, wanted := range tt.phases {
			if got := grant.PhaseAt(age, tt.life, tt.refreshIn, "key", 1); got != wanted {
				t.Errorf("%s: %v after %v, want %v", tt.name, got, age, wanted)
			}
		}
	}
	if got := (grant.Snapshot{}).Phase; got != grant.Missing {
		t.Errorf("no token: %v", got)
	}
}

// B27: ten thousand logins of one second do not all age in the same second.
func TestJitterSpreadsAndIsStable(t *testing.T) {
	seen := make(map[grant.Phase]int)
	for gen := range uint64(1000) {
		p := grant.PhaseAt(52*time.Minute, time.Hour, 0, "key", gen)
		if again := grant.PhaseAt(52*time.Minute, time.Hour, 0, "key", gen); again != p {
			t.Fatalf("generation %d is %v and then %v", gen, p, again)
		}
		seen[p]++
	}
	if seen[grant.Fresh] < 300 || seen[grant.Aging] < 300 {
		t.Errorf("in the middle of the jitter: %v, want about half and half", seen)
	}
}

func FuzzTokenJustIssuedIsFreshAndPhasesOnlyAdvance(f *testing.F) {
	f.Add(int64(time.Hour), int64(0), uint64(1))
	f.Add(int64(1), int64(1), uint64(0))
	f.Fuzz(func(t *testing.T, life, refreshIn int64, gen uint64) {
		l := time.Duration(life) % (30 * 24 * time.Hour)
		if l <= time.Millisecond || refreshIn < 0 || refreshIn > 0 && refreshIn < int64(time.Millisecond) {
			return
		}
		if p := grant.PhaseAt(0, l, time.Duration(refreshIn), "key", gen); p != grant.Fresh {
			t.Errorf("life %v, hint %v: just issued and %v", l, time.Duration(refreshIn), p)
		}
		last := grant.Fresh
		for i := range 101 {
			p := grant.PhaseAt(l*time.Duration(i)/100, l, time.Duration(refreshIn), "key", gen)
			if p < last {
				t.Errorf("life %v: %v after %v", l, p, last)
			}
			last = p
		}
		if last != grant.Expired {
			t.Errorf("life %v: %v at its end", l, last)
		}
	})
}

// F4, STO1: bytes of any origin are a record or no record.
func FuzzRowIsARecordOrNone(f *testing.F) {
	f.Add(`1{"gen":1,"access":{"":{"at":"x","exp":"2026-01-01T00:00:00Z"}}}`)
	f.Add(`1{"attempt":null,"backoff":{"until":"9999-01-01T00:00:00Z","n":99999999999}}`)
	f.Add("1" + strings.Repeat(`{"access":`, 1000))
	f.Fuzz(func(t *testing.T, row string) { grant.DecodeRow([]byte(row)) })
}
