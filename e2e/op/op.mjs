// An OpenID provider that nobody on this project wrote, set up as strictly as it
// goes: every refresh rotates the refresh token, and presenting a used one kills
// the whole grant. It listens on a loopback port of its own choice, prints one
// line of JSON with its issuer, and ends when its standard input closes, so that
// no test can leave it behind.
//
//   OP_ACCESS_TTL=60 OP_REFRESH_TTL=86400 OP_ALWAYS_REFRESH= node op.mjs
//
// With OP_ALWAYS_REFRESH=1 every sign-in brings a refresh token, one that showed
// nothing to anybody (prompt=none) too; otherwise only one that asked for consent.
//
// Beside the protocol it has switches for tests:
//
//   GET /_stats                                     what was asked of it, as JSON
//   GET /_secrets                                   every secret it issued or was shown
//   GET /_next?n=&status=&delay=&retry_after=&cut=  what becomes of the next n token calls:
//       answer status instead of processing the call; or process it and close the
//       connection instead of answering, with cut=1; either way wait delay ms first,
//       with the refresh token consumed already
//   GET /_tell?at=                                  the application's origin, where sign-outs are told
//       from now on (back-channel logout); until then nobody is told
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Provider } from 'oidc-provider'

const accessTTL = Number(process.env.OP_ACCESS_TTL || 60) // seconds
const refreshTTL = Number(process.env.OP_REFRESH_TTL || 86400) // each refresh token anew
const alwaysRefresh = Boolean(process.env.OP_ALWAYS_REFRESH)
const server = createServer()
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const issuer = `http://localhost:${server.address().port}` // another host than the application's: cookies ignore ports

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'e2e',
    client_secret: 'e2e-secret-that-must-not-be-logged',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['http://127.0.0.1/.auth/login/oidc/callback'],
    post_logout_redirect_uris: ['http://127.0.0.1/.auth/logout/complete'],
    backchannel_logout_uri: 'http://127.0.0.1/.auth/backchannel-logout/oidc',
    backchannel_logout_session_required: true,
  }, { // an application that may have ID tokens by way of the browser
    client_id: 'e2e-front',
    client_secret: 'e2e-secret-that-must-not-be-logged',
    grant_types: ['authorization_code', 'refresh_token', 'implicit'],
    response_types: ['code', 'code id_token', 'id_token'],
    redirect_uris: ['https://127.0.0.1/.auth/login/oidc/callback'],
  }, { // on a telephone, where nothing is secret
    client_id: 'e2e-phone',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/.auth/login/oidc/callback'],
  }],
  scopes: ['openid', 'offline_access', 'profile', 'email', 'read', 'write'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Person ${id}`, preferred_username: id, email: `${id}@example.com`, email_verified: true }),
  }),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (_, client, { scopes }) => client.grantTypeAllowed('refresh_token') && (alwaysRefresh || scopes.has('offline_access')),
  features: {
    backchannelLogout: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'read write', accessTokenFormat: 'jwt', accessTokenTTL: accessTTL }),
    },
  },
  // Sign-outs are all that it ever sends. Its own dispatcher refuses loopback.
  fetch: (registered, { dispatcher, ...options }) => {
    if (!tellAt) throw new Error('nobody wants to be told')
    remember({ logout_token: options.body.get('logout_token') }, 'logout_token')
    return fetch(new URL(new URL(registered).pathname, tellAt), options)
  },
  ttl: { AccessToken: accessTTL, IdToken: 3600, RefreshToken: refreshTTL, Grant: 86400, Interaction: 600, Session: 86400 },
})

// The application listens on a port of its own choice too.
const loopback = (registered) => function (uri) {
  const { hostname, pathname, search } = new URL(uri)
  return this[registered].some((r) => new URL(r).hostname === hostname && new URL(r).pathname === pathname && !search)
}
provider.Client.prototype.redirectUriAllowed = loopback('redirectUris')
provider.Client.prototype.postLogoutRedirectUriAllowed = loopback('postLogoutRedirectUris')

const stats = { calls: 0, logins: 0, refreshes: 0, refreshed: 0, replays: 0, revocations: 0, logouts: 0, told: 0, untold: 0, userinfo: 0, inFlight: 0, maxInFlight: 0 }
provider.on('grant.error', (_, err) => { if (err.error_detail === 'refresh token already used') stats.replays++ })
provider.on('grant.revoked', () => { stats.revocations++ })
provider.on('end_session.success', () => { stats.logouts++ })
provider.on('backchannel.success', () => { stats.told++ })
provider.on('backchannel.error', () => { stats.untold++ })

const secrets = new Set(['e2e-secret-that-must-not-be-logged'])
const remember = (from, ...names) => names.forEach((name) => { if (from?.[name]) secrets.add(from[name]) })

provider.on('authorization.success', (_, answer) => remember(answer, 'code', 'id_token'))

let next = { n: 0 }
let tellAt
const switches = {
  '/_stats': () => stats,
  '/_secrets': () => [...secrets],
  '/_next': (query) => { next = Object.fromEntries([...query].map(([k, v]) => [k, Number(v)])); return next },
  '/_tell': (query) => { tellAt = query.get('at'); return { tellAt } },
}

provider.use(async (ctx, handle) => {
  if (switches[ctx.path]) { ctx.body = switches[ctx.path](new URL(ctx.href).searchParams); return }
  if (ctx.path === '/auth') remember(ctx.query, 'state', 'nonce')
  if (ctx.path === '/me') stats.userinfo++
  if (ctx.path !== '/token') return handle()

  stats.calls++
  const fault = next.n-- > 0 ? next : {}
  stats.maxInFlight = Math.max(stats.maxInFlight, ++stats.inFlight)
  if (fault.status) {
    if (fault.retry_after) ctx.set('Retry-After', String(fault.retry_after))
    Object.assign(ctx, { status: fault.status, body: { error: 'temporarily_unavailable' } })
  } else {
    await handle()
    const asked = ctx.oidc?.body
    remember(asked, 'code', 'code_verifier', 'refresh_token')
    remember(ctx.body, 'access_token', 'refresh_token', 'id_token')
    if (asked?.grant_type === 'authorization_code') stats.logins++
    if (asked?.grant_type === 'refresh_token') { stats.refreshes++; if (ctx.status === 200) stats.refreshed++ }
  }
  if (fault.delay) await sleep(fault.delay)
  if (fault.cut) { ctx.respond = false; ctx.req.socket.destroy() }
  stats.inFlight--
})

server.on('request', provider.callback())
process.stdin.on('end', () => { process.exit() }).resume()
console.log(JSON.stringify({ issuer }))
