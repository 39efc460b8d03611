package otelsession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/otelsession"
)

func TestEveryOutcomeIsInAMetricAndInTheTraceOfItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		defer a.auth.Close()
		a.op.Fail(providertest.Token, providertest.Fault{Lag: time.Second, Process: true, Edit: func(_ http.Header, b []byte) []byte { return b }})

		ada := a.visitor("ada")
		time.Sleep(time.Hour) // the token expires
		if status := a.ask(ada); status != http.StatusOK {
			t.Fatalf("the token is not renewed: %d", status)
		}
		a.op.Heal()
		a.op.RevokeUser("sub-ada")
		time.Sleep(time.Hour)
		if status := a.ask(ada); status != http.StatusUnauthorized {
			t.Fatalf("a revoked grant is answered %d", status)
		}
		if _, err := ada.Open(a.base + "/.auth/logout"); err != nil {
			t.Fatal(err)
		}
		if page, err := ada.Open(a.base + "/.auth/login/op/callback?code=x&state=forged"); err != nil || page.Status < 400 {
			t.Fatalf("a forged callback: %v, %v", page, err)
		}

		got := a.metrics(t)
		for _, want := range []string{
			"easyauth.logins easyauth.provider=op: 1",
			"easyauth.logins easyauth.provider=op easyauth.reason=attempt_unknown: 1",
			"easyauth.refresh.duration easyauth.provider=op: 1 in 1s",
			"easyauth.refresh.duration easyauth.provider=op easyauth.reason=revoked: 1 in 0s",
			"easyauth.refresh.wait.duration easyauth.provider=op easyauth.reason=refreshed: 1 in 1s",
			"easyauth.sessions.ended easyauth.provider=op easyauth.reason=logout: 1",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("no metric %q in\n\t%s", want, strings.Join(got, "\n\t"))
			}
		}

		spans := a.spans.GetSpans()
		refresh := find(t, spans, "easyauth refresh", codes.Unset)
		if refresh.SpanKind != trace.SpanKindClient || refresh.EndTime.Sub(refresh.StartTime) != time.Second {
			t.Errorf("the refresh is a %v of %v, want a client span of 1s", refresh.SpanKind, refresh.EndTime.Sub(refresh.StartTime))
		}
		if request := find(t, spans, "request", codes.Unset); !slices.ContainsFunc(spans, func(s tracetest.SpanStub) bool {
			return s.Name == "request" && s.SpanContext.SpanID() == refresh.Parent.SpanID()
		}) {
			t.Errorf("the refresh is not a child of its request: %v, %v", refresh.Parent, request.SpanContext)
		}
		if failed := find(t, spans, "easyauth refresh", codes.Error); failed.Status.Description != "revoked" {
			t.Errorf("the refused refresh says %q", failed.Status.Description)
		}
		find(t, spans, "easyauth login", codes.Unset)
		find(t, spans, "easyauth login", codes.Error)
		find(t, spans, "easyauth wait", codes.Unset)

		everything := strings.Join(got, "\n") + fmt.Sprintf("%+v", spans)
		for _, secret := range a.op.Secrets() {
			if strings.Contains(everything, secret) {
				t.Error("LEA2: a secret is in the telemetry")
			}
		}
		if strings.Contains(strings.Join(got, "\n"), "sub-ada") {
			t.Error("a user's id is the label of a metric")
		}
	})
}

func TestHooksOfTheApplicationAreToldToo(t *testing.T) {
	var told []string
	note := func(name string) func(context.Context, session.Event) {
		return func(_ context.Context, e session.Event) { told = append(told, name+":"+e.SessionID) }
	}
	hooks, err := otelsession.New(otelsession.Config{Next: session.Hooks{
		Started: note("started"), LoginFailed: note("login failed"), Refreshed: note("refreshed"), RefreshFailed: note("refresh failed"),
		Waited: note("waited"), ReauthSoon: note("reauth soon"), Ended: note("ended"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	e := session.Event{SessionID: "s"}
	for _, hook := range []func(context.Context, session.Event){
		hooks.Started, hooks.LoginFailed, hooks.Refreshed, hooks.RefreshFailed, hooks.Waited, hooks.ReauthSoon, hooks.Ended,
	} {
		hook(t.Context(), e)
	}
	want := "started:s login failed:s refreshed:s refresh failed:s waited:s reauth soon:s ended:s"
	if got := strings.Join(told, " "); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// app is an application whose telemetry is collected.
type app struct {
	base   string
	op     *providertest.Server
	net    *providertest.Network
	auth   *easyauth.Auth
	reader *sdkmetric.ManualReader
	spans  *tracetest.InMemoryExporter
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{base: "https://app.example", op: providertest.New(providertest.Config{Algorithm: "ES256"}), reader: sdkmetric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(a.spans))
	hooks, err := otelsession.New(otelsession.Config{
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(a.reader)),
		TracerProvider: tracers,
	})
	if err != nil {
		t.Fatal(err)
	}
	idp, err := providers.NewOIDC(providers.OIDCConfig{
		Name: "op", Issuer: a.op.Issuer(), ClientID: providertest.ClientID, ClientSecret: providers.NewSecret(providertest.ClientSecret),
		Scopes: []string{"openid", "offline_access"}, HTTPClient: a.op.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.auth, err = easyauth.New(easyauth.Config{BaseURL: a.base, Providers: []providers.Provider{idp}, Keys: []providers.Secret{easyauth.NewKey()}, Hooks: hooks}); err != nil {
		t.Fatal(err)
	}
	handler := a.auth.Wrap(a.auth.RequireToken(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	traced := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := tracers.Tracer("test").Start(r.Context(), "request")
		defer span.End()
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
	a.net = providertest.NewNetwork(map[string]http.Handler{a.op.Host(): a.op, "app.example": traced})
	return a
}

func (a *app) visitor(name string) *providertest.Browser {
	b := providertest.NewBrowser(a.net)
	if page, err := b.SignIn(a.base+"/", name); err != nil || page.Status != http.StatusOK {
		panic(errors.Join(err, errors.New("no sign-in")))
	}
	return b
}

// ask sends a request as a script does and returns the status.
func (a *app) ask(b *providertest.Browser) int {
	req, _ := http.NewRequest(http.MethodGet, a.base+"/", nil)
	req.Header.Set("Accept", "application/json")
	page, err := b.Fetch(req)
	if err != nil {
		panic(err)
	}
	return page.Status
}

// metrics are all points as "name attributes: count", sorted.
func (a *app) metrics(t *testing.T) (points []string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := a.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				points = append(points, fmt.Sprintf("%s%s: %d", m.Name, attributes(p.Attributes), p.Value))
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				points = append(points, fmt.Sprintf("%s%s: %d in %gs", m.Name, attributes(p.Attributes), p.Count, p.Sum))
			}
		}
	}
	slices.Sort(points)
	return points
}

func attributes(set attribute.Set) (s string) {
	for _, kv := range set.ToSlice() {
		s += fmt.Sprintf(" %s=%s", kv.Key, kv.Value.AsString())
	}
	return s
}

func find(t *testing.T, spans tracetest.SpanStubs, name string, status codes.Code) tracetest.SpanStub {
	t.Helper()
	for _, s := range spans {
		if s.Name == name && s.Status.Code == status {
			return s
		}
	}
	t.Fatalf("no span %q with status %v", name, status)
	return tracetest.SpanStub{}
}
