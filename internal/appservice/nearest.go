package appservice

import "strings"

// nearest returns the name that is most like the given one, or "" where none is
// like enough to be what was meant. A part of a name is like the whole.
func nearest(name string, known []string) string {
	best, least := "", max(2, len(name)/3)+1
	name = strings.ToLower(name)
	for _, k := range known {
		lower := strings.ToLower(k)
		d := distance(name, lower)
		if len(name) > 5 && strings.Contains(lower, name) {
			d = min(d, 2)
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters have to be put in, taken out or changed to make a
// out of b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
