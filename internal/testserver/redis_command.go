package testserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// configure writes a configuration file, one setting a line, and returns its path.
func configure(t testing.TB, file string, settings []string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(strings.Join(settings, "\n")+"\n"), 0o600); err != nil {
		t.Fatalf("testserver: %v", err)
	}
	return file
}

// ask sends one command over a connection of its own, in the protocol that all
// servers of this kind speak, and returns the answer as text.
func ask(addr string, command ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	var call strings.Builder
	fmt.Fprintf(&call, "*%d\r\n", len(command))
	for _, word := range command {
		fmt.Fprintf(&call, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(conn, call.String()); err != nil {
		return "", err
	}
	return readAnswer(bufio.NewReader(conn))
}

// readAnswer reads one value of version 2 of the protocol; lists become lines.
func readAnswer(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("an empty line")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	}
	n, err := strconv.Atoi(rest)
	switch {
	case err != nil:
		return "", err
	case n < 0:
		return "", nil // nothing
	case kind == '$':
		text := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(r, text)
		return string(text[:n]), err
	case kind == '*':
		items := make([]string, n)
		for i := range items {
			if items[i], err = readAnswer(r); err != nil {
				return "", err
			}
		}
		return strings.Join(items, "\n"), nil
	}
	return "", fmt.Errorf("an answer of type %q", kind)
}
