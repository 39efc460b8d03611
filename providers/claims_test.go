package providers_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

func TestParseClaims(t *testing.T) {
	var thousand, one strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&thousand, `"c%d":%d,`, i, i)
	}
	one.WriteString(`"last":1`)
	for _, row := range []struct {
		name, object, reason string // no reason: accepted
	}{
		{"empty", `{}`, ""},
		{"white space", " {\n\"a\" : 1 }\t", ""},
		{"same name further in", `{"a":{"a":1,"A":2}}`, ""},
		{"1000 members", "{" + strings.TrimSuffix(thousand.String(), ",") + "}", ""},
		{"JWT13 1001 members", "{" + thousand.String() + one.String() + "}", "too many claims"},
		{"G6 the same name twice", `{"sub":"alice","sub":"mallory"}`, "repeats"},
		{"G6 the same name in two spellings", `{"sub":"alice","SUB":"mallory"}`, "repeats"},
		{"JWT16 long s, which encoding/json takes for s", `{"sub":"alice","ſub":"mallory"}`, "repeats"},
		{"JWT16 Kelvin sign, which encoding/json takes for k", `{"kid":"1","Kid":"2"}`, "repeats"},
		{"JWT16 the same name, escaped", `{"sub":"alice","s\u0075b":"mallory"}`, "repeats"},
		{"array", `["sub"]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"nothing", ``, "not valid JSON"},
		{"brace after the object", `{"a":1}}`, "not valid JSON"},
		{"bracket after the object", `{"a":1}]`, "not valid JSON"},
		{"object after the object", `{"a":1}{"b":2}`, "not valid JSON"},
		{"comma before the end", `{"a":1,}`, "not valid JSON"},
		{"name without quotes", `{a:1}`, "not valid JSON"},
		{"broken off", `{"a":`, "not valid JSON"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "not valid JSON"},
		{"JWT13 deep", strings.Repeat(`{"a":`, 20_000), "not valid JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := providers.ParseClaims([]byte(row.object))
			switch {
			case row.reason == "" && err != nil:
				t.Error(err)
			case row.reason != "" && (err == nil || !strings.Contains(err.Error(), row.reason) || c.Len() != 0):
				t.Errorf("%v, %v; want %s", c, err, row.reason)
			}
		})
	}
}

func parse(t testing.TB, object string) providers.Claims {
	t.Helper()
	c, err := providers.ParseClaims([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClaimsKeepOrderAndBytes(t *testing.T) {
	const object = `{"z":1e3,"a":"<ü>","n":null,"list":["b","a"],"big":12345678901234567890}`
	c := parse(t, object)
	var names []string
	for name, value := range c.All() {
		names = append(names, name+"="+string(value))
		if name == "list" {
			break
		}
	}
	if want := []string{"z=1e3", `a="<ü>"`, "n=null", `list=["b","a"]`}; !reflect.DeepEqual(names, want) {
		t.Errorf("%q", names)
	}
	again, err := c.MarshalJSON()
	if err != nil || string(again) != object {
		t.Errorf("%s, %v", again, err)
	}
	var through struct{ Claims providers.Claims }
	if err := json.Unmarshal([]byte(`{"Claims":`+object+`}`), &through); err != nil || through.Claims.Len() != 5 {
		t.Errorf("%v, %v", through, err)
	}
	if err := json.Unmarshal([]byte(`{"Claims":null}`), &through); err != nil || through.Claims.Len() != 0 {
		t.Errorf("%v, %v", through, err)
	}
	if err := json.Unmarshal([]byte(`{"Claims":{"a":1,"A":2}}`), &through); err == nil {
		t.Error("a repeated claim came through encoding/json")
	}
}

func TestClaimsAreReadByTheirTypes(t *testing.T) {
	c := parse(t, `{"s":"text","e":"","n":7,"t":true,"f":false,"ts":"true","l":["a","b"],"m":["a",1],"nul":null,"iat":1700000000.5,
		"past":-1,"far":1e300,"str":"1700000000"}`)
	for name, want := range map[string]string{"s": "text", "e": "", "n": "", "l": "", "nul": "", "none": "", "S": ""} {
		if got := c.String(name); got != want {
			t.Errorf("String(%s) is %q", name, got)
		}
	}
	for name, want := range map[string][]string{"s": {"text"}, "l": {"a", "b"}, "m": nil, "n": nil, "nul": nil, "none": nil} {
		if got := c.Strings(name); !reflect.DeepEqual(got, want) {
			t.Errorf("Strings(%s) is %q", name, got)
		}
	}
	for name, want := range map[string]bool{"t": true, "f": false, "ts": false, "n": false, "none": false} {
		if got := c.Bool(name); got != want { // JWT17: "true" is not true
			t.Errorf("Bool(%s) is %v", name, got)
		}
	}
	if at, ok := c.Time("iat"); !ok || !at.Equal(time.Unix(1700000000, 5e8)) {
		t.Errorf("Time(iat) is %v, %v", at, ok)
	}
	for _, name := range []string{"past", "far", "str", "s", "t", "nul", "none"} {
		if at, ok := c.Time(name); ok {
			t.Errorf("Time(%s) is %v", name, at)
		}
	}
	if !c.Has("nul") || c.Has("none") || c.Has("S") {
		t.Error("Has goes by the exact name, whatever the value")
	}
	var n int
	if err := c.Decode("n", &n); err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
	if err := c.Decode("none", &n); err == nil || !strings.Contains(err.Error(), "no claim") {
		t.Errorf("%v", err)
	}
}

func TestMergeAddsAndNeverReplaces(t *testing.T) {
	token, userinfo := parse(t, `{"sub":"alice","name":"Alice"}`), parse(t, `{"sub":"mallory","email":"a@example.com"}`)
	merged, err := json.Marshal(token.Merge(userinfo))
	if err != nil || string(merged) != `{"sub":"alice","name":"Alice","email":"a@example.com"}` {
		t.Errorf("%s, %v", merged, err)
	}
	if token.Len() != 2 || userinfo.Len() != 2 {
		t.Error("Merge changed what it merged")
	}
	if got := token.Merge(providers.Claims{}); got.Len() != 2 {
		t.Errorf("%v", got)
	}
}
