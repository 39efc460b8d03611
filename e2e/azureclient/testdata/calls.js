// What a program does with the client of Azure Mobile Apps, by name. All of it
// is the client's own, but for refresh: the client has none, and this is how
// programs write one.
module.exports = function (client) {
  const calls = {
    login: (...args) => client.login(...args),
    loginWithOptions: (...args) => client.loginWithOptions(...args),
    logout: () => client.logout(),
    configure: settings => { Object.assign(client, settings) },
    user: () => client.currentUser,
    resume: user => { client.currentUser = user },

    invokeApi: async (name, options) => {
      const answer = await client.invokeApi(name, options)
      return { status: answer.status, result: answer.result }
    },

    refresh: async () => {
      const answer = await new Promise((done, fail) =>
        client._request('GET', '/.auth/refresh', null, true, (error, response) => error ? fail(error) : done(response)))
      const login = JSON.parse(answer.responseText)
      client.currentUser.mobileServiceAuthenticationToken = login.authenticationToken
      return login
    }
  }

  // One call, as JSON: {value}, or {error} with what the client shows of it.
  return async function ({ call, args }) {
    try {
      return { value: await calls[call](...args) ?? null }
    } catch (error) {
      return {
        error: {
          message: typeof error === 'string' ? error : error.message,
          status: error.request ? error.request.status : 0,
          body: error.request ? error.request.responseText : ''
        }
      }
    }
  }
}
