'use strict';
// Node with busboy: the report streams to a file of its own.
// Promise: 200 after fsync of the file and of its directory.
// Tuned as the documentation of Node and busboy has it: a worker for each core, 64 threads for file calls, 1 MiB buffers for large uploads.
// usage: node server.js PORT DIR [--decompress]
process.env.UV_THREADPOOL_SIZE = '64';
const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const busboy = require('busboy');

// Older ones ignore `flush` and would promise what they do not keep.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 10)) throw new Error(`Node ${process.versions.node} has no \`flush\` for write streams: 20.10 or newer is needed.`);

const [port, directory] = [Number(process.argv[2]), process.argv[3]];
const decompress = process.argv.includes('--decompress');
const answer = Buffer.from('{"response":"ok","_rxid":"00000000-0000-0000-0000-000000000000"}');

if (cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_NONE; // the kernel shares the socket out: the primary does no work
  const workers = Array.from({ length: os.availableParallelism() }, () => cluster.fork());
  process.on('SIGTERM', () => { workers.forEach(w => w.process.kill('SIGTERM')); setTimeout(() => process.exit(0), 200); });
} else {
  const directoryHandle = fs.openSync(directory, 'r');
  let count = 0;

  const reply = (response, status, body) => {
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  };

  const server = http.createServer((request, response) => {
    const failed = error => {
      request.unpipe();
      request.resume();
      if (!response.headersSent) reply(response, 500, Buffer.from(JSON.stringify({ error: { message: String(error) } })));
    };
    const sequence = new URL(request.url, 'http://localhost').searchParams.get('seq');
    const large = !(Number(request.headers['content-length']) <= 1048576);
    const buffers = large ? { highWaterMark: 1 << 20, fileHwm: 1 << 20 } : {};
    let parser;
    try {
      parser = busboy({ headers: request.headers, limits: { fileSize: Infinity }, ...buffers });
    } catch (error) {
      failed(error);
      return;
    }
    const stored = [];
    parser.on('file', (name, stream) => {
      if (!name.startsWith('upload_file')) { stream.resume(); return; }
      const file = path.join(directory, `${sequence}-${process.pid}.${count++}.dmp`);
      stored.push(new Promise((resolve, reject) => {
        // `flush` makes the stream fsync before it closes.
        const out = fs.createWriteStream(file, { flags: 'wx', flush: true, highWaterMark: large ? 1 << 20 : 65536 });
        out.on('close', () => fs.fsync(directoryHandle, error => (error ? reject(error) : resolve())));
        out.on('error', reject);
        stream.on('error', reject);
        stream.pipe(out);
      }));
    });
    parser.on('error', failed);
    parser.on('close', () => Promise.all(stored).then(() => reply(response, 200, answer), failed));
    if (decompress && request.headers['content-encoding'] === 'gzip') {
      request.pipe(zlib.createGunzip()).on('error', failed).pipe(parser);
    } else {
      request.pipe(parser);
    }
  });
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60000;
  server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}
