package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
	"github.com/goeasyauth/easyauth/examples/internal/demotest"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestTheAPIIsCalledAsTheUserAndARefusedTokenIsRenewed(t *testing.T) {
	program := demotest.Start(t, mount)
	ada := apptest.NewBrowser(t)

	page := ada.SignedIn(program.Base+"/", "ada")
	first := answerOn(t, page)
	if first.requests != "1" || !strings.Contains(string(page.Body), "sub-ada") {
		t.Fatalf("the API was asked %s times, want once as ada: %s", first.requests, page.Body)
	}
	if again := answerOn(t, ada.Click("/")); again != first {
		t.Errorf("a second call differs: %v, want the same token, asked once", again)
	}

	page, err := ada.Submit(page.Forms()[0])
	if err != nil {
		t.Fatal(err)
	}
	apptest.Eventually(t, "the refused token is old enough to be renewed", func() bool {
		if page.Status != http.StatusOK {
			t.Fatalf("the page answers %d: %s", page.Status, page.Body)
		}
		young := strings.Contains(string(page.Body), ">401 ")
		if young {
			page = ada.Click("/")
		}
		return !young
	})
	renewed := answerOn(t, page)
	if renewed.requests != "2" {
		t.Errorf("after a 401 the API was asked %s times, want 2: refused, renewed, sent again", renewed.requests)
	}
	if renewed.token == first.token {
		t.Error("after a 401 the API was called with the same token")
	}
	if next := answerOn(t, ada.Click("/")); next.requests != "1" || next.token != renewed.token {
		t.Errorf("the renewed token is not kept: %v", next)
	}
}

type answer struct{ requests, token string }

var (
	requests = regexp.MustCompile(`id="requests">(\d+)<`)
	token    = regexp.MustCompile(`token_sha256&#34;: ?&#34;([0-9a-f]{64})`)
)

func answerOn(t *testing.T, page *providertest.Page) answer {
	t.Helper()
	asked, sent := requests.FindSubmatch(page.Body), token.FindSubmatch(page.Body)
	if page.Status != http.StatusOK || asked == nil || sent == nil {
		t.Fatalf("%s answers %d without the API's answer: %s", page.URL, page.Status, page.Body)
	}
	return answer{string(asked[1]), string(sent[1])}
}
