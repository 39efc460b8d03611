// The client in a page. The script that loads it says where the service is.
const { MobileServiceClient } = require('azure-mobile-apps-client')

module.exports = function (service) {
  return require('./calls')(new MobileServiceClient(service))
}
