// The client in Node.js: every line of the input is a call, every line of the
// output what became of it. The one thing that the client misses of a browser
// is XMLHttpRequest.
const { XMLHttpRequest } = require('xhr2')
XMLHttpRequest.prototype.withCredentials = false
global.XMLHttpRequest = XMLHttpRequest

const { MobileServiceClient } = require('azure-mobile-apps-client')
const perform = require('./calls')(new MobileServiceClient(process.argv[2]))

async function main () {
  for await (const line of require('readline').createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await perform(JSON.parse(line))))
  }
}
main()
