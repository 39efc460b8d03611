package sqlitestore_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/leaktest"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
)

// The tests of this file need other processes: the test program runs itself,
// with a task and a file in the environment.
const (
	taskVariable = "SQLITESTORE_TASK"
	fileVariable = "SQLITESTORE_FILE"
)

const additions = 200

func TestMain(m *testing.M) {
	task, isChild := map[string]func(*sqlitestore.Store) error{
		"add":    addMany,
		"hold":   saveAndWait,
		"save":   saveOnce,
		"delete": deleteOnce,
	}[os.Getenv(taskVariable)]
	if !isChild {
		leaktest.Main(m)
	}
	s, err := sqlitestore.Open(os.Getenv(fileVariable))
	if err == nil {
		err = task(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(t *testing.T, task, path string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), taskVariable+"="+task, fileVariable+"="+path)
	return cmd
}

// Three processes add one to the same entry by compare-and-swap, two goroutines
// in each.
func TestProcessesLoseNoWrite(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	save(t, s, "sum", string(binary.BigEndian.AppendUint64(nil, 0)))
	const processes = 3
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			if out, err := child(t, "add", path).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	if got := binary.BigEndian.Uint64(load(t, s, "sum").Value); got != processes*2*additions {
		t.Errorf("the sum is %d, want %d", got, processes*2*additions)
	}
}

func addMany(s *sqlitestore.Store) error {
	defer s.Close()
	ctx := context.Background()
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		wg.Go(func() {
			for done := 0; done < additions && errs[i] == nil; {
				entries, err := s.Load(ctx, "sum")
				if err != nil {
					errs[i] = err
					return
				}
				e := entries[0]
				e.Value = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(e.Value)+1)
				switch _, err := s.Save(ctx, "sum", e); {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// kill -9 loses nothing that was acknowledged, and leaves no lock.
func TestKilledProcessLosesNothing(t *testing.T) {
	path := newFile(t)
	cmd := child(t, "hold", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()

	s := open(t, path)
	e := load(t, s, "key")
	if got := fmt.Sprintln(e.Version, string(e.Value)); got != line {
		t.Errorf("loaded %q, the process had saved %q", got, line)
	}
	e.Value = []byte("after")
	if _, err := s.Save(t.Context(), "key", e); err != nil {
		t.Error(err)
	}
}

func saveAndWait(s *sqlitestore.Store) error {
	e := store.Entry{ExpiresAt: time.Now().Add(time.Hour)}
	for i := range 10 {
		e.Value = fmt.Append(nil, "value ", i)
		saved, err := s.Save(context.Background(), "key", e)
		if err != nil {
			return err
		}
		e = saved
	}
	fmt.Println(e.Version, string(e.Value))
	time.Sleep(time.Minute) // to be killed
	return nil
}

func saveOnce(s *sqlitestore.Store) error {
	defer s.Close()
	_, err := s.Save(context.Background(), "key", store.Entry{ExpiresAt: time.Now().Add(time.Hour)})
	return err
}

func deleteOnce(s *sqlitestore.Store) error {
	defer s.Close()
	return s.Delete(context.Background(), "key")
}
