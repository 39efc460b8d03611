package providers

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	maxBody   = 1 << 20  // of any answer (docs/threats.md R13)
	maxHeader = 64 << 10 // of any answer, all lines together
)

// wire is the only way in which this package talks to a provider: bounded in
// size, never redirected, without cookies.
type wire struct {
	client  *http.Client
	timeout time.Duration // of every call, beside its context's; 0: none
}

// answer is a whole answer, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
	sentAt time.Time
}

func newWire(base *http.Client) wire {
	client, timeout := new(http.Client), time.Duration(0)
	if base != nil {
		client.Transport, timeout = base.Transport, base.Timeout
	}
	if client.Transport == nil {
		client.Transport = &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			ForceAttemptHTTP2: true,
			// Shorter than any server's: a request written to a connection that
			// the server is just closing has an unknown outcome, and may cost the
			// user a refresh token.
			IdleConnTimeout:        3 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
		}
	}
	// A redirect would take the client secret and the refresh token along to
	// wherever it points (docs/threats.md G16, RFC 9700 section 4.12).
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return wire{client, timeout}
}

// do sends the request, whose context carries the deadline of the whole call.
// Its error is a *callError, which says whether the request may have arrived.
func (w wire) do(req *http.Request) (answer, error) {
	ctx := req.Context()
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	if overdue(ctx) {
		return answer{}, &callError{cause: context.DeadlineExceeded}
	}
	if err := ctx.Err(); err != nil {
		return answer{}, &callError{cause: err}
	}
	var traced, connected, written atomic.Bool // a transport of net/http tells; others may not
	ctx, cancel := lenient(ctx, &written)
	defer cancel()
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { traced.Store(true) },
		GotConn:      func(httptrace.GotConnInfo) { connected.Store(true) },
		WroteRequest: func(w httptrace.WroteRequestInfo) { written.Store(w.Err == nil) },
	}))
	ans := answer{sentAt: time.Now()}
	res, err := w.client.Do(req)
	if err != nil {
		unsent := traced.Load() && !connected.Load() || beforeSending(err)
		return answer{}, &callError{sent: !unsent, cause: causeOf(err)}
	}
	defer res.Body.Close()
	ans.status, ans.header = res.StatusCode, res.Header
	if size(res.Header) > maxHeader {
		return answer{}, &callError{sent: true, cause: errTooLarge}
	}
	if ans.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1)); err != nil {
		return answer{}, &callError{sent: true, cause: causeOf(err)}
	}
	if len(ans.body) > maxBody {
		return answer{}, &callError{sent: true, cause: errTooLarge}
	}
	return ans, nil
}

// callError is a call that brought no whole answer. Its cause holds nothing of
// what the provider sent.
type callError struct {
	sent  bool // the request may have reached the provider
	cause error
}

var (
	errTooLarge = errors.New("answer is too large")
	errNoAnswer = errors.New("no whole answer came back")
)

func (e *callError) Error() string { return e.cause.Error() }
func (e *callError) Unwrap() error { return e.cause }

// overdue reports whether the deadline has passed by the wall clock. The
// context goes by the monotonic clock, which stands still while a virtual
// machine is suspended: a call that wakes too late must not be sent, because
// somebody else may have taken over (docs/refresh.md E6).
func overdue(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !time.Now().Round(0).Before(deadline.Round(0))
}

const (
	asleep   = time.Second     // a deadline noticed so late was slept over
	lateRead = 3 * time.Second // to read what came while asleep
)

// lenient returns a context that ends when ctx does, with one exception: a
// process that was stopped when the deadline passed, and wakes up with its
// request sent, is given time to read the answer that waits in the socket. It
// may hold the only refresh token that still works, and whether the deadline or
// the answer is seen first would be a matter of chance (docs/refresh.md E6).
// Nothing is sent in that time.
func lenient(ctx context.Context, written *atomic.Bool) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		deadline, _ := ctx.Deadline()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && written.Load() && time.Since(deadline) > asleep {
			select {
			case <-time.After(lateRead):
			case <-longer.Done():
			}
		}
		cancel(ctx.Err())
	})
	return longer, func() { stop(); cancel(context.Canceled) }
}

// beforeSending recognizes the errors of a connection that never came about,
// for transports that do not report their progress.
func beforeSending(err error) bool {
	if op := (*net.OpError)(nil); errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dns) || errors.As(err, &certificate)
}

// causeOf keeps what says where a call failed and drops the rest: the text of a
// malformed answer quotes the answer, that of a URL its query.
func causeOf(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &op) && op.Op == "dial":
		return op
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &certificate):
		return certificate
	case errors.As(err, &timeout) && timeout.Timeout():
		return context.DeadlineExceeded
	}
	return errNoAnswer
}

func size(header http.Header) int {
	n := 0
	for name, values := range header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}
