package main

import (
	"encoding/json"
	"net/http"
	"runtime"
)

// vitals tells what a soak test wants flat.
func vitals(w http.ResponseWriter, _ *http.Request) {
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	json.NewEncoder(w).Encode(map[string]any{"goroutines": runtime.NumGoroutine(), "heap": mem.HeapAlloc})
}
