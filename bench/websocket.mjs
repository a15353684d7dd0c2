// One side of the WebSocket row of bench/compare.
//   node websocket.mjs echo PORT                              answers every upgrade, and every frame of a hundred bytes with one
//   node websocket.mjs load PORT PATH CONNECTIONS SECONDS     a message at a time on each connection; prints JSON
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';

const payload = 100;
const fromClient = 2 + 4 + payload;
const fromServer = 2 + payload;

const [role, port, path, connections, seconds] = process.argv.slice(2);
if (role === 'echo') {
  const answer = Buffer.concat([Buffer.from([0x82, payload]), Buffer.alloc(payload, 'x')]);
  createServer(socket => {
    let head = '';
    let open = false;
    let pending = 0;
    const frames = length => {
      for (pending += length; pending >= fromClient; pending -= fromClient) socket.write(answer);
    };
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', chunk => {
      if (open) return frames(chunk.length);
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      open = true;
      const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
      frames(head.length - end - 4);
    });
  }).listen(Number(port), '127.0.0.1');
} else {
  const mask = randomBytes(4);
  const body = Buffer.alloc(payload, 'x').map((byte, i) => byte ^ mask[i % 4]);
  const message = Buffer.concat([Buffer.from([0x82, 0x80 | payload]), mask, body]);
  const times = [];
  let errors = 0;
  let over = false;
  const sockets = Array.from({ length: Number(connections) }, () => {
    const socket = connect(Number(port), '127.0.0.1');
    let head = '';
    let open = false;
    let pending = 0;
    let sent = 0;
    const send = () => {
      sent = performance.now();
      socket.write(message);
    };
    socket.setNoDelay(true);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
    socket.on('error', () => { errors += over ? 0 : 1; });
    socket.on('close', () => { errors += over ? 0 : 1; });
    socket.on('data', chunk => {
      if (!open) {
        head += chunk.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        if (!head.startsWith('HTTP/1.1 101')) { errors++; return socket.destroy(); }
        open = true;
        return send();
      }
      pending += chunk.length;
      if (pending < fromServer) return;
      pending -= fromServer;
      times.push(performance.now() - sent);
      send();
    });
    return socket;
  });
  setTimeout(() => {
    over = true;
    for (const socket of sockets) socket.destroy();
    times.sort((a, b) => a - b);
    const at = part => times[Math.floor(times.length * part)] ?? null;
    console.log(JSON.stringify({ messages: times.length, p50: at(0.5), p99: at(0.99), errors: errors || (times.length ? 0 : 1) }));
  }, Number(seconds) * 1000);
}
