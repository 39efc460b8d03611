package respond

import (
	"encoding/json"
	"net/http"
)

// JSON answers with v as application/json, encoded by [Marshal].
func JSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := Marshal(v)
	if err != nil {
		Problem(w, r, Internal, Options{})
		return
	}
	NoStore(w.Header())
	write(w, r, status, "application/json", body)
}

// Marshal encodes v as App Service's serializer does: like json.Marshal, with
// every slash escaped. Readers see the same value; some
// compare bytes.
func Marshal(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(plain)+len(plain)/16)
	for i := 0; i < len(plain); i++ {
		switch c := plain[i]; c {
		case '\\': // an escape that is there already, perhaps of a slash: keep the pair
			out = append(out, c, plain[i+1])
			i++
		case '/':
			out = append(out, '\\', '/')
		default:
			out = append(out, c)
		}
	}
	return out, nil
}
