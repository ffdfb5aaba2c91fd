// A server of history pages as it is usually written for Node, with the messages of a file in memory:
//     node history.mjs PORT MESSAGES.json
// It stores nothing and asks no database, which makes it faster than one that does. As usual frameworks do, it makes the body, and a tag of
// the body, before it knows whether the client has that already.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, file] = process.argv.slice(2);
const messages = JSON.parse(readFileSync(file, 'utf8'));

createServer((request, response) => {
  const query = new URL(request.url, 'http://localhost').searchParams;
  const limit = Math.min(Number(query.get('limit') ?? 50), 100);
  const end = query.has('before') ? Number(query.get('before')) - 1 : messages.length;
  const page = messages.slice(Math.max(0, end - limit), end);
  const body = JSON.stringify({
    success: true, messages: page, hasMore: end > limit, firstSeq: page[0]?.seq, lastSeq: page.at(-1)?.seq,
  });
  const tag = `"${createHash('sha1').update(body).digest('base64')}"`;
  response.setHeader('ETag', tag);
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304).end();
  } else {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
  }
}).listen(Number(port), '127.0.0.1');
