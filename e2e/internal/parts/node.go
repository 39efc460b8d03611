package parts

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/goeasyauth/easyauth/e2e/op"
)

// oldestNode is the oldest Node.js that oidc-provider works with. Debian 12
// ships 18; there npm brings a newer one.
const oldestNode = 20

var pinnedNode = bundle{"node", op.Node(), filepath.Join("node_modules", nodePackage(), "bin", "node")}

// node is the machine's own Node.js, if it is new enough, or the pinned one.
func node() (string, error) {
	path, err := ownNode()
	if err == nil {
		return path, nil
	}
	dir, pinnedErr := pinnedNode.find()
	if pinnedErr != nil {
		return "", err
	}
	return filepath.Join(dir, pinnedNode.whole), nil
}

func ownNode() (string, error) {
	path, err := lookAny("node", "nodejs")
	if err != nil {
		return "", err
	}
	out, err := exec.Command(path, "--version").Output()
	var major int
	if _, scanErr := fmt.Sscanf(string(out), "v%d.", &major); err != nil || scanErr != nil {
		return "", fmt.Errorf("%s does not say its version", path)
	}
	if major < oldestNode {
		return "", fmt.Errorf("%s is version %d, at least %d is needed", path, major, oldestNode)
	}
	return path, nil
}

// installNode takes the distribution's, with its npm, and lets npm bring the
// pinned one if that is too old.
func installNode(ctx context.Context) error {
	if _, err := exec.LookPath("npm"); err != nil {
		if err := apt("nodejs", "npm")(ctx); err != nil {
			return err
		}
	}
	if _, err := ownNode(); err == nil {
		return nil
	}
	return pinnedNode.install(ctx)
}

// nodePackage is the npm package that holds a Node.js for this machine.
func nodePackage() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return "node-" + runtime.GOOS + "-" + arch
}
