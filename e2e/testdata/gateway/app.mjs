// The application of app.py once more, in JavaScript. Run as: app.mjs PORT
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const tell = (request, response, received) => {
  const header = request.headers['x-ms-client-principal'];
  const own = Object.entries(request.headers)
    .filter(([name]) => name.replaceAll('_', '-').startsWith('x-'))
    .map(([name, value]) => [name.toUpperCase(), value]);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({
    path: request.url,
    host: request.headers.host,
    cookie: request.headers.cookie,
    received,
    principal: header ? JSON.parse(Buffer.from(header, 'base64').toString('utf8')) : null,
    headers: Object.fromEntries(own),
  }));
};

createServer(async (request, response) => {
  let received = 0;
  for await (const chunk of request) received += chunk.length;
  switch (request.url.split('?')[0]) {
    case '/begin':
      response.writeHead(302, { 'Set-Cookie': 'seen=node; Path=/', Location: '/whoami?from=begin' });
      response.end();
      break;
    case '/events':
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      for (let n = 0; n < 3; n++) {
        response.write(`data: ${n}\n\n`);
        await setTimeout(100);
      }
      response.end();
      break;
    default:
      tell(request, response, received);
  }
}).listen(Number(process.argv[2]), '127.0.0.1');
