// node ws-client.js ADDRESS RUN: what the WebSocket protocol has, on connections of ws. RUN makes the ids of connections its own.
'use strict';
const { once } = require('node:events');
const WebSocket = require('ws');
const { converse } = require('./answers');

const [address, run] = process.argv.slice(2);

async function open(id, { target = '/socket/', protocols = [], ...options } = {}) {
  const socket = new WebSocket(`ws://${address}${target}`, protocols, { headers: { 'x-call-id': `${run}-${id}` }, ...options });
  await once(socket, 'open');
  return socket;
}

// The next message, after something was sent.
async function ask(socket, ...message) {
  const answered = once(socket, 'message');
  socket.send(...message);
  const [data, binary] = await answered;
  return { data, binary };
}

const closing = async (socket) => {
  const [code, reason] = await once(socket, 'close');
  return `${code} ${reason}`;
};
const howDid = async (id) => {
  const socket = await open('asking');
  const { data } = await ask(socket, `how did ${run}-${id}`);
  socket.close();
  return data.toString();
};

function echo(options) {
  return async () => {
    const socket = await open('echo', options);
    const { data, binary } = await ask(socket, 'héllo ☃');
    const sent = Buffer.from([0, 1, 254, 255]);
    const bytes = await ask(socket, sent);
    socket.close();
    return { text: data.toString(), isText: !binary, bytes: [...bytes.data], isBinary: bytes.binary, extensions: socket.extensions, protocol: socket.protocol };
  };
}

converse({
  plain: echo({ perMessageDeflate: false }),
  compressed: echo({ perMessageDeflate: { threshold: 0 } }),
  protocol: echo({ protocols: ['talk.v1', 'talk.v2'], perMessageDeflate: false }),

  async clientPing() {
    const socket = await open('ping');
    const answered = once(socket, 'pong');
    socket.ping('1 2 3');
    const [data] = await answered;
    socket.close();
    return data.toString();
  },

  async serverPing() {
    const socket = await open('pinged');
    const pinged = once(socket, 'ping');
    const { data } = await ask(socket, 'ping me');
    const [ping] = await pinged;
    socket.close();
    return { ping: ping.toString(), answer: data.toString() };
  },

  async big() {
    const socket = await open('big', { perMessageDeflate: false });
    const sent = Buffer.alloc(1024 * 1024, 'nuncio ');
    const { data, binary } = await ask(socket, sent);
    socket.close();
    return { same: binary && sent.equals(data) };
  },

  async fragments() {
    const socket = await open('fragments', { perMessageDeflate: false });
    const answered = once(socket, 'message');
    socket.send('one ', { fin: false });
    socket.send('two ', { fin: false });
    socket.send('three', { fin: true });
    const [data] = await answered;
    socket.close();
    return data.toString();
  },

  async clientCloses() {
    const socket = await open('closes');
    socket.close(4001, 'done here');
    return { client: await closing(socket), server: await howDid('closes') };
  },

  async serverCloses() {
    const socket = await open('closed');
    socket.send('close me');
    return { client: await closing(socket), server: await howDid('closed') };
  },

  // Without a close frame: 1006, "abnormal".
  async serverDrops() {
    const socket = await open('dropped');
    socket.send('drop me');
    return closing(socket);
  },

  async clientDrops() {
    const socket = await open('drops');
    await ask(socket, 'first');
    socket.terminate();
    return howDid('drops');
  },

  async refused() {
    const socket = new WebSocket(`ws://${address}/no-socket/`);
    const [request, response] = await once(socket, 'unexpected-response');
    request.destroy();
    return response.statusCode;
  },

  async sideBySide() {
    const sockets = await Promise.all(Array.from({ length: 50 }, (_, i) => open(`side-${i}`)));
    const answers = await Promise.all(sockets.map((socket, i) => ask(socket, `socket ${i}`)));
    for (const socket of sockets) socket.close();
    return answers.filter(({ data }, i) => data.toString() === `socket ${i}`).length;
  },
});
