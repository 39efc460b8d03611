// Package otelsession tells OpenTelemetry what becomes of sign-ins, sessions and
// tokens: metrics of each outcome with its reason, and spans in the trace of the
// request that an outcome belongs to.
//
//	hooks, err := otelsession.New(otelsession.Config{})
//	auth, err := easyauth.New(easyauth.Config{Hooks: hooks, ...})
//
// The metrics, all with the attribute easyauth.provider, and with easyauth.reason,
// a [session.Reason], where there is one: why a sign-in or a refresh failed, what
// a wait brought, why a session ended.
//
//	easyauth.logins                 counter            sign-ins, completed or failed
//	easyauth.refresh.duration       histogram, seconds  the provider's answers to refreshes
//	easyauth.refresh.wait.duration  histogram, seconds  what requests waited for a refresh, their own or another's
//	easyauth.reauth_soon            counter            refresh tokens that are about to die
//	easyauth.sessions.ended         counter            sessions that ended
//
// Users and sessions are named in spans only, by their ids; no token, name or
// e-mail address is in either.
package otelsession

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/goeasyauth/easyauth/session"
)

// Config says where to report to. Its zero value reports to the global
// providers of package otel.
type Config struct {
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// Next are hooks of the application, told after OpenTelemetry.
	Next session.Hooks
}

// scope names the instruments and spans of this package.
const scope = "github.com/goeasyauth/easyauth/session/otelsession"

// Attributes of metrics and spans.
const (
	providerKey = attribute.Key("easyauth.provider")
	sessionKey  = attribute.Key("easyauth.session.id")
	userKey     = attribute.Key("user.id")
	reasonKey   = attribute.Key("easyauth.reason")
)

// New returns the hooks to give to easyauth. The error is that of a meter
// provider which refuses an instrument.
func New(cfg Config) (session.Hooks, error) {
	meters := cmp.Or(cfg.MeterProvider, otel.GetMeterProvider())
	tracers := cmp.Or(cfg.TracerProvider, otel.GetTracerProvider())
	r := &reporter{tracer: tracers.Tracer(scope)}
	if err := r.instruments(meters.Meter(scope)); err != nil {
		return session.Hooks{}, err
	}
	next := cfg.Next
	return session.Hooks{
		Started:       chain(r.started, next.Started),
		LoginFailed:   chain(r.loginFailed, next.LoginFailed),
		Refreshed:     chain(r.refreshed, next.Refreshed),
		RefreshFailed: chain(r.refreshed, next.RefreshFailed),
		Waited:        chain(r.waited, next.Waited),
		ReauthSoon:    chain(r.reauthSoon, next.ReauthSoon),
		Ended:         chain(r.ended, next.Ended),
	}, nil
}

type hook = func(context.Context, session.Event)

func chain(first, second hook) hook {
	if second == nil {
		return first
	}
	return func(ctx context.Context, e session.Event) {
		first(ctx, e)
		second(ctx, e)
	}
}

type reporter struct {
	tracer trace.Tracer

	logins, soon, endings metric.Int64Counter
	refreshes, waits      metric.Float64Histogram
}

// seconds are the bounds of the histograms: an answer of a provider takes from
// milliseconds to the 15 seconds after which it is given up.
var seconds = metric.WithExplicitBucketBoundaries(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)

func (r *reporter) instruments(m metric.Meter) error {
	var errs [5]error
	r.logins, errs[0] = m.Int64Counter("easyauth.logins", metric.WithUnit("{login}"),
		metric.WithDescription("Sign-ins, completed or failed"))
	r.refreshes, errs[1] = m.Float64Histogram("easyauth.refresh.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Answers of providers to refreshes"))
	r.waits, errs[2] = m.Float64Histogram("easyauth.refresh.wait.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Waits of requests for a refresh, their own or another's"))
	r.soon, errs[3] = m.Int64Counter("easyauth.reauth_soon", metric.WithUnit("{grant}"),
		metric.WithDescription("Refresh tokens that are about to die"))
	r.endings, errs[4] = m.Int64Counter("easyauth.sessions.ended", metric.WithUnit("{session}"),
		metric.WithDescription("Sessions that ended"))
	return errors.Join(errs[:]...)
}

func (r *reporter) started(ctx context.Context, e session.Event) {
	r.logins.Add(ctx, 1, labels(e))
	r.span(ctx, "easyauth login", trace.SpanKindInternal, e)
}

func (r *reporter) loginFailed(ctx context.Context, e session.Event) {
	r.logins.Add(ctx, 1, labels(e))
	r.span(ctx, "easyauth login", trace.SpanKindInternal, e)
}

func (r *reporter) refreshed(ctx context.Context, e session.Event) {
	r.refreshes.Record(ctx, e.Took.Seconds(), labels(e))
	r.span(ctx, "easyauth refresh", trace.SpanKindClient, e)
}

func (r *reporter) waited(ctx context.Context, e session.Event) {
	r.waits.Record(ctx, e.Took.Seconds(), labels(e))
	r.span(ctx, "easyauth wait", trace.SpanKindInternal, e)
}

func (r *reporter) reauthSoon(ctx context.Context, e session.Event) {
	r.soon.Add(ctx, 1, labels(e))
	trace.SpanFromContext(ctx).AddEvent("easyauth reauth soon", trace.WithAttributes(whose(e)...))
}

func (r *reporter) ended(ctx context.Context, e session.Event) {
	r.endings.Add(ctx, 1, labels(e))
	trace.SpanFromContext(ctx).AddEvent("easyauth session ended", trace.WithAttributes(whose(e)...))
}

// span records what is over already: hooks are told afterwards, and told how
// long it took.
func (r *reporter) span(ctx context.Context, name string, kind trace.SpanKind, e session.Event) {
	end := time.Now()
	_, span := r.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(end.Add(-e.Took)), trace.WithAttributes(whose(e)...))
	if e.Reason != "" && e.Reason != session.ReasonRefreshed {
		span.SetStatus(codes.Error, string(e.Reason))
	}
	span.End(trace.WithTimestamp(end))
}

// labels are what a metric may have: values from short lists.
func labels(e session.Event) metric.MeasurementOption {
	attributes := []attribute.KeyValue{providerKey.String(e.Provider)}
	if e.Reason != "" {
		attributes = append(attributes, reasonKey.String(string(e.Reason)))
	}
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

// whose is what a span may have beside that.
func whose(e session.Event) []attribute.KeyValue {
	attributes := []attribute.KeyValue{providerKey.String(e.Provider)}
	for _, a := range []attribute.KeyValue{sessionKey.String(e.SessionID), userKey.String(e.UserID), reasonKey.String(string(e.Reason))} {
		if a.Value.AsString() != "" {
			attributes = append(attributes, a)
		}
	}
	return attributes
}
