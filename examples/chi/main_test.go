package main

import (
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/demotest"
)

func TestAPersonSignsInToTheChiApplication(t *testing.T) { demotest.SignsInAndOut(t, mount) }
