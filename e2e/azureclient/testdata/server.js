// An application on Microsoft's server of Azure Mobile Apps, as it stands behind
// App Service: it believes no header, but judges the session token with the key
// that it shares with what is in front, and asks that who the user is.
const express = require('express')
const configuration = {
  auth: {
    azureSigningKey: process.env.WEBSITE_AUTH_SIGNING_KEY,
    issuer: process.env.ISSUER,
    audience: process.env.ISSUER
  }
}
const authenticate = require('azure-mobile-apps/src/express/middleware/authenticate')(configuration)
const authorize = require('azure-mobile-apps/src/express/middleware/authorize')

const app = express()
app.get('/api/identity', (req, res, next) => { req.azureMobile = {}; next() }, authenticate, authorize, async (req, res) => {
  const { user } = req.azureMobile
  try {
    res.json({ id: user.id, claims: user.claims, identity: await user.getIdentity(req.query.provider) })
  } catch (error) {
    res.status(502).json({ error: String(error) })
  }
})
const server = app.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address().port)))
process.stdin.resume().on('end', () => process.exit(0)) // nobody is there any more
