package appservice_test

import (
	"testing"

	"github.com/goeasyauth/easyauth/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
