package pgstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// pace is how a listener divides its time.
type pace struct {
	// renew is how often the watches are said again, which tells at the same time
	// whether the connection is alive. A watch that nobody says again lasts for
	// three of them; see watchSQL.
	renew time.Duration
	// linger is how long the connection outlives the last watcher.
	linger time.Duration
	// answer is how long the server may take to answer on this connection, and
	// proof how long a notification may be under way.
	answer, proof time.Duration
	// retry is the pause between two tries to connect, in which those who wait
	// look for themselves; giveUp is the same where the next try will hardly be
	// luckier.
	retry, giveUp time.Duration
}

var usualPace = pace{
	renew:  10 * time.Second,
	linger: 30 * time.Second,
	answer: 5 * time.Second,
	proof:  2 * time.Second,
	retry:  time.Second,
	giveUp: time.Minute,
}

// run keeps a line for as long as somebody watches, and ends with the Store.
func (l *listener) run() {
	for ctx := l.life; ; {
		conn, err := l.connect(ctx)
		l.settle(err)
		if err == nil {
			l.tellAll() // of what happened since the last line was lost
			l.hear(ctx, conn)
			hangUp(ctx, conn)
		} else {
			l.pause(ctx, err)
		}
		if !l.again(ctx) {
			return
		}
	}
}

// settle tells those who wait for the line what became of it.
func (l *listener) settle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.err = err
	close(l.line.settled)
}

// again reports whether another line is wanted, and promises it to those who
// come from now on.
func (l *listener) again(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil || len(l.watchers) == 0 {
		l.line = nil
		return false
	}
	l.line = &line{settled: make(chan struct{})}
	return true
}

// connect returns a connection on which notifications have been heard, and on
// which those of all that is watched will be.
func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.pace.answer)
	defer cancel()
	dial := l.dial
	if dial == nil {
		dial = l.dialLikePool
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "LISTEN "+within(l.store.schema, "{schema}"))
	if err == nil {
		err = l.prove(ctx, conn)
	}
	if err == nil {
		err = l.renew(ctx, conn)
	}
	if err != nil {
		hangUp(ctx, conn)
		return nil, l.store.explain(err)
	}
	return conn, nil
}

// dialLikePool opens a connection as the pool does. It refuses one that leads to
// a pooler: the server tells its clients the number of the process that serves
// them, and a pooler invents one. To find out by listening would leave a
// connection of the pooler's behind that listens.
func (l *listener) dialLikePool(ctx context.Context) (*pgx.Conn, error) {
	cfg := l.store.pool.Config()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, cfg.ConnConfig); err != nil {
			return nil, err
		}
	}
	cfg.ConnConfig.OnNotification = nil // they are waited for
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, err
	}
	var process uint32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&process)
	if err == nil && process != conn.PgConn().PID() {
		err = fmt.Errorf("the pool's connections lead to a pooler: let Config.Listen open one to the server itself: %w", errors.ErrUnsupported)
	}
	if err != nil {
		hangUp(ctx, conn)
		return nil, err
	}
	return conn, nil
}

// prove checks that what the pool sends is heard. A pooler in transaction mode
// accepts LISTEN and nothing comes of it; another database is as silent.
func (l *listener) prove(ctx context.Context, conn *pgx.Conn) error {
	call := " " + rand.Text() // no key begins with a space
	if _, err := l.store.ask(ctx, l.store.sql.notify, []byte(l.store.schema), []byte(call)); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, l.pace.proof)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(wait)
		switch {
		case conn.IsClosed():
			return err
		case err != nil:
			_, _ = conn.Exec(ctx, "UNLISTEN *") // whoever's connection it is
			return fmt.Errorf("notifications of the pool are not heard: let Config.Listen open a connection to the same database, past every pooler: %w", errors.ErrUnsupported)
		case n != nil && n.Payload == call:
			return nil
		}
	}
}

// hear passes on what it hears, until the connection is lost, nobody has watched
// for a while, or ctx ends.
func (l *listener) hear(ctx context.Context, conn *pgx.Conn) {
	renewal := time.Now().Add(l.pace.renew)
	for ctx.Err() == nil && !l.isDeserted() {
		wait, cancel := context.WithDeadline(ctx, renewal)
		n, _ := conn.WaitForNotification(wait)
		cancel()
		switch {
		case n != nil:
			l.tell(n.Payload)
		case conn.IsClosed():
			return
		}
		if !time.Now().Before(renewal) {
			if err := l.renew(ctx, conn); err != nil {
				return
			}
			renewal = time.Now().Add(l.pace.renew)
		}
	}
}

// renew says what is watched.
func (l *listener) renew(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.pace.answer)
	defer cancel()
	return exec(ctx, conn.PgConn(), l.store.sql.watch, list(l.keys())).Err
}

func (l *listener) isDeserted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.watchers) == 0 && time.Since(l.deserted) >= l.pace.linger
}

// hangUp ends a connection in good manners, if the server still has any.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// pause lets time pass after a try that failed with err.
func (l *listener) pause(ctx context.Context, err error) {
	length := l.pace.retry
	if errors.Is(err, errors.ErrUnsupported) {
		length = l.pace.giveUp
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
