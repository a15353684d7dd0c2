// A WebSocket server on ws; prints "port N". Sends messages back as they came, and does what some texts say.
'use strict';
const { WebSocketServer } = require('ws');

const closed = new Map();
const waiting = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true, handleProtocols: (offered) => (offered.has('talk.v2') ? 'talk.v2' : false) });

server.on('connection', (socket, request) => {
  const id = request.headers['x-call-id'];
  socket.on('message', (data, binary) => {
    const text = binary ? '' : data.toString();
    if (text === 'close me') socket.close(4002, 'as you wish');
    else if (text === 'drop me') socket.terminate();
    else if (text === 'ping me') socket.ping('are you there');
    else if (text.startsWith('how did ')) {
      const other = text.slice('how did '.length);
      if (closed.has(other)) socket.send(closed.get(other));
      else waiting.set(other, (end) => socket.send(end));
    } else socket.send(data, { binary });
  });
  socket.on('pong', (data) => socket.send(`pong: ${data}`));
  socket.on('error', () => {});
  socket.on('close', (code, reason) => {
    if (!id) return;
    closed.set(id, `${code} ${reason}`);
    waiting.get(id)?.(closed.get(id));
  });
});
server.on('listening', () => console.log(`port ${server.address().port}`));
