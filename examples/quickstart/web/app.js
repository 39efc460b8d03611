// The page's live part. The server renders everything that stands still; this
// file counts down, shows the log as the server streams it, and presses buttons
// without leaving the page. It never sees a token, only its SHA-256.
"use strict";

(() => {
  const byID = (id) => document.getElementById(id);
  const session = byID("session-countdown");
  if (!session) return; // the page of somebody who is not signed in

  const life = { session: {}, token: {} }; // begins, ends: milliseconds of this browser's clock
  let tokenError = "";

  // span turns the server's times into this clock's, which may be wrong by minutes.
  const span = (from, to, now) => {
    const skew = Date.now() - Date.parse(now);
    return { begins: Date.parse(from) + skew, ends: Date.parse(to) + skew };
  };

  const clock = (ms) => {
    const s = Math.ceil(ms / 1000), two = (n) => String(n).padStart(2, "0");
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
  };

  const timeOfDay = (t) => new Date(t).toLocaleTimeString();

  const text = (id, value) => {
    const e = byID(id);
    if (e && e.textContent !== value) e.textContent = value;
  };

  const countdown = (name, over) => {
    const { begins, ends } = life[name];
    if (!ends) return;
    const left = Math.max(0, ends - Date.now());
    text(`${name}-countdown`, left ? clock(left) : over);
    byID(`${name}-progress`).value = (100 * left) / Math.max(1, ends - begins);
  };

  const tick = () => {
    countdown("session", "in grace");
    countdown("token", tokenError || "expired");
  };

  const showSession = (s) => {
    life.session = span(s.session_expires_at, s.session_expires_at, s.now);
    life.session.begins -= 1000 * session.dataset.lifetime;
    for (const [id, t] of [["session-expires", s.session_expires_at], ["session-grace", s.grace_until]]) {
      const e = byID(id);
      e.dateTime = t;
      e.textContent = new Date(t).toLocaleString();
    }
    tick();
  };

  const why = {
    revoked: "It refused to renew your tokens, because the grant was revoked.",
    expired: "Your refresh token has expired.",
    interaction_required: "It will not renew your tokens before it has seen you.",
    in_doubt: "Whether your refresh token was used up could not be found out.",
    no_refresh_token: "It gave no refresh token, and the access token has died.",
  };

  const showToken = (t) => {
    const gone = t.error === "reauth_required";
    byID("reauth").hidden = !gone;
    text("reauth-reason", gone ? why[t.reason] ?? why.revoked : "");
    tokenError = gone ? "gone" : t.error ? "waiting" : "";
    text("token-phase", t.error ? "" : t.phase);
    if (t.error) {
      life.token = { begins: 0, ends: 1 }; // over
      if (gone) text("token-hash", "none");
    } else {
      const hash = byID("token-hash");
      if (hash.textContent !== t.sha256) {
        hash.textContent = t.sha256;
        hash.classList.remove("fresh");
        void hash.offsetWidth; // let the animation start anew
        hash.classList.add("fresh");
      }
      life.token = t.expires_at ? span(t.refreshed_at, t.expires_at, t.now) : {};
      if (!t.expires_at) text("token-countdown", "unknown");
    }
    tick();
  };

  const showEntry = (entry, id) => {
    const log = byID("refresh-log");
    if (log.querySelector(`[data-id="${id}"]`)) return; // told again after a reconnect
    const item = document.createElement("li");
    item.dataset.kind = entry.kind;
    item.dataset.id = id;
    const time = document.createElement("time");
    time.dateTime = entry.at;
    time.textContent = timeOfDay(entry.at);
    const what = document.createElement("span");
    const title = document.createElement("strong");
    title.textContent = entry.title;
    what.append(title, " ", entry.text);
    item.append(time, what);
    log.prepend(item);
    while (log.children.length > 100) log.lastElementChild.remove();
  };

  // A page that is being left must not reload itself: that would call off the
  // way to the provider's sign-out, which ends the session here first.
  let leaving = false;
  addEventListener("beforeunload", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; }); // back again

  // ask fetches JSON from this application: [status, body], or nothing where
  // it cannot be reached. Who is not signed in any more gets the page for that.
  const ask = async (path, options) => {
    try {
      const answer = await fetch(path, { cache: "no-store", ...options });
      const body = await answer.json().catch(() => ({}));
      if (!leaving && (body.error === "not_signed_in" || body.error === "session_ended")) location.reload();
      text("connection", "");
      return [answer.status, body];
    } catch {
      text("connection", "The server does not answer; trying again.");
      return [0, {}];
    }
  };

  // look asks how things are. It asks every two seconds, as pages of an
  // application would, and that alone keeps the token fresh.
  let looking = 0;
  const look = async () => {
    clearTimeout(looking);
    const [status, token] = await ask("/api/token");
    if (status) showToken(token);
    clearTimeout(looking);
    looking = setTimeout(look, 2000);
  };
  const lookAtSession = async () => {
    const [status, me] = await ask("/api/whoami");
    if (status === 200) showSession(me);
  };

  // listen follows the log. The browser opens the stream again by itself,
  // except after a refusal.
  const listen = () => {
    const stream = new EventSource("/events");
    stream.addEventListener("log", (e) => {
      showEntry(JSON.parse(e.data), e.lastEventId);
      look();
      lookAtSession();
    });
    stream.addEventListener("live", () => byID("log-region").setAttribute("aria-busy", "false"));
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
    };
  };

  const say = (message) => text("status", message);

  // whilePressed keeps a button from being pressed twice while it works.
  const whilePressed = async (button, work) => {
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) return;
    button.dataset.busy = "1";
    await work();
    delete button.dataset.busy;
    button.removeAttribute("aria-disabled");
  };

  const answers = {
    0: "The server does not answer.",
    200: "200: your tokens are fresh, and your session has its full time again.",
    400: "400: the provider gave no refresh token, so there is nothing to refresh with.",
    401: "401: there is no session any more.",
    403: "403: the provider has withdrawn your grant. Sign in again.",
    502: "502: the provider rejects this application's configuration.",
    503: "503: the provider cannot be asked now. You stay signed in.",
  };

  byID("refresh-now").addEventListener("click", (e) => whilePressed(e.currentTarget, async () => {
    const [status] = await ask("/.auth/refresh");
    say(answers[status] ?? `${status}: unexpected`);
    await Promise.all([look(), lookAtSession()]);
  }));

  const control = (id, done) => byID(`${id}-form`)?.addEventListener("submit", (e) => {
    e.preventDefault();
    whilePressed(e.submitter, async () => {
      const [status, body] = await ask(e.target.action, { method: "POST" });
      say(status === 200 ? done(body) : answers[status] ?? `${status}: refused`);
    });
  });
  control("fail", (a) => `The provider fails until ${timeOfDay(a.until)}.`);
  control("revoke", () => "Revoked. The next refresh will be refused: wait for it, or press Refresh now.");

  const { expires, grace, now } = session.dataset;
  showSession({ session_expires_at: expires, grace_until: grace, now });
  setInterval(tick, 250);
  look();
  listen();
})();
