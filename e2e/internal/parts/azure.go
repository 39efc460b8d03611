package parts

import (
	"path/filepath"

	"github.com/goeasyauth/easyauth/e2e/azureclient"
)

var azure = bundle{"azure", azureclient.Packages(), filepath.Join("node_modules", "azure-mobile-apps-client")}
