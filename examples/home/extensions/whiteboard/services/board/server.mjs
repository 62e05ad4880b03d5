// The board over HTTP: GET /shapes, POST /shapes, DELETE /shapes, and GET /events for whoever wants to see changes.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Board } from './board.mjs';

const port = Number(process.argv[2]);
const board = new Board(join(process.env.LUNA_DATA_DIR ?? '.', 'board.json'));
const watchers = new Set();
const maxBodyBytes = 200_000;

createServer(async (request, response) => {
  try {
    await answer(request, response);
  } catch (error) {
    const status = error instanceof TypeError || error instanceof SyntaxError ? 400 : 500;
    if (!response.headersSent) send(response, status, { error: error.message });
  }
}).listen(port, '127.0.0.1', () => console.log(`The board is at port ${port}.`));

async function answer(request, response) {
  const what = `${request.method} ${request.url}`;
  if (what === 'GET /health') return send(response, 200, { shapes: board.shapes.length });
  if (what === 'GET /shapes') return send(response, 200, { shapes: board.shapes });
  if (what === 'GET /events') return watch(response);
  if (what === 'POST /shapes') {
    const shape = board.add(JSON.parse(await bodyOf(request)));
    tell('added', shape);
    return send(response, 201, shape);
  }
  if (what === 'DELETE /shapes') {
    board.clear();
    tell('cleared', {});
    return send(response, 200, {});
  }
  return send(response, 404, { error: `There is nothing at ${what}.` });
}

function watch(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(`event: board\ndata: ${JSON.stringify(board.shapes)}\n\n`);
  watchers.add(response);
  response.once('close', () => watchers.delete(response));
}

function tell(event, data) {
  for (const watcher of watchers) watcher.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

async function bodyOf(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > maxBodyBytes) throw new TypeError('the shape is too large');
  }
  return body;
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
