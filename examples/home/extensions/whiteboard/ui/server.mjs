// Hands out the page. A UI may as well be a development server of any framework: it only has to listen on its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const page = readFileSync(new URL('./index.html', import.meta.url));
const port = Number(process.argv[2]);

createServer((request, response) => {
  if (request.url !== '/') return response.writeHead(404).end('There is only one page here.');
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' }).end(page);
}).listen(port, '127.0.0.1', () => console.log(`The page is at port ${port}.`));
