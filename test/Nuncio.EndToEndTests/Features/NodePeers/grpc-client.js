// node grpc-client.js ADDRESS RUN: calls test.Talk in every way that gRPC has. RUN makes the ids of calls its own.
'use strict';
const grpc = require('@grpc/grpc-js');
const { converse } = require('./answers');

const [address, run] = process.argv.slice(2);
const client = new grpc.Client(address, grpc.credentials.createInsecure());
const write = (text) => Buffer.from(text, 'utf8');
const read = (bytes) => bytes.toString('utf8');
const path = (method) => (method.startsWith('/') ? method : `/test.Talk/${method}`);
const withId = (id) => {
  const metadata = new grpc.Metadata();
  metadata.set('x-call-id', id);
  return metadata;
};
const failure = (error) => ({ code: error.code, details: error.details, reason: error.metadata?.get('x-reason')[0] });

// One answer: { answer } or what failed, with the metadata before and after.
function unary(method, request, { metadata = new grpc.Metadata(), options = {}, start = () => {} } = {}) {
  return new Promise((resolve) => {
    const outcome = {};
    const call = client.makeUnaryRequest(path(method), write, read, request, metadata, options, (error, answer) => {
      Object.assign(outcome, error ? failure(error) : { answer });
    });
    call.on('metadata', (head) => { outcome.head = head; });
    call.on('status', (status) => { outcome.after = status.metadata; setImmediate(() => resolve(outcome)); });
    start(call);
  });
}

// All answers of a stream, and how it ended.
function gather(call) {
  return new Promise((resolve) => {
    const answers = [];
    call.on('data', (answer) => answers.push(answer));
    call.on('error', () => {});
    call.on('status', (status) => setImmediate(() => resolve({ answers, code: status.code, details: status.details })));
  });
}

const only = ({ code, details, answer }) => ({ code, details, answer });
const heard = async (id, state = 'cancelled') => (await unary('Await', `${id} ${state}`)).answer;

// Makes a call that ends by itself; again where, on a busy machine, it ended before it had come to the server.
async function untilReached(name, call) {
  for (let tries = 1; ; tries++) {
    const id = `${run}-${name}-${tries}`;
    const outcome = await call(id, tries);
    if (tries === 5 || (await unary('State', id)).answer !== 'never came') return { ...outcome, server: await heard(id) };
  }
}

converse({
  async unary() {
    const metadata = new grpc.Metadata();
    metadata.set('x-bytes-bin', Buffer.from([0, 255, 10]));
    const { answer, head, after } = await unary('Say', 'héllo', { metadata });
    return { answer, peer: head.get('x-peer')[0], bytes: [...head.get('x-bytes-bin')[0]], after: after.get('x-after')[0] };
  },

  async empty() {
    return only(await unary('Quiet', ''));
  },

  async failure() {
    const { code, details, reason, head, after } = await unary('Fail', 'nöt so: 100 %');
    return { code, details, reason: reason ?? after.get('x-reason')[0], head: head?.get('x-peer')[0] };
  },

  async unknown() {
    return only(await unary('Nothing', 'x'));
  },

  async unrouted() {
    return only(await unary('/test.Elsewhere/Say', 'x'));
  },

  async deadline() {
    return untilReached('deadline', async (id, tries) => {
      const { code } = await unary('Never', 'x', { metadata: withId(id), options: { deadline: Date.now() + 300 * tries } });
      return { code };
    });
  },

  async secondsLeft() {
    return { with: only(await unary('SecondsLeft', 'x', { options: { deadline: Date.now() + 15_000 } })), without: only(await unary('SecondsLeft', 'x')) };
  },

  async gatewayTimeout() {
    return untilReached('hurried', async (id) => only(await unary('/test.Hurried/Never', 'x', { metadata: withId(id) })));
  },

  async cancel() {
    const id = `${run}-cancel`;
    const outcome = unary('Never', 'x', { metadata: withId(id), start: (call) => heard(id, 'reached').then(() => call.cancel()) });
    return { code: (await outcome).code, server: await heard(id) };
  },

  async cancelStream() {
    const id = `${run}-stream`;
    const call = client.makeServerStreamRequest(path('Endless'), write, read, 'x', withId(id));
    call.once('data', () => call.cancel());
    const { answers, code } = await gather(call);
    return { answers, code, server: await heard(id) };
  },

  async serverStream() {
    const { answers, code } = await gather(client.makeServerStreamRequest(path('Count'), write, read, '1000'));
    return { count: answers.length, last: answers.at(-1), code };
  },

  async brokenStream() {
    return gather(client.makeServerStreamRequest(path('CountThenFail'), write, read, 'x'));
  },

  clientStream() {
    return new Promise((resolve) => {
      const call = client.makeClientStreamRequest(path('Gather'), write, read, (error, answer) => resolve(error ? failure(error) : { answer }));
      for (let i = 0; i < 1000; i++) call.write('x'.repeat(1000));
      call.end();
    });
  },

  // The next message is sent only once the last was answered: nothing on the way may hold one back.
  async chat() {
    const call = client.makeBidiStreamRequest(path('Chat'), write, read);
    let round = 0;
    call.on('data', () => (++round < 20 ? call.write(`round ${round}`) : call.end()));
    call.write(`round ${round}`);
    const { answers, code } = await gather(call);
    return { count: answers.length, last: answers.at(-1), code };
  },

  async big() {
    const sent = 'y'.repeat(1024 * 1024);
    return { same: (await unary('Say', sent)).answer === sent };
  },

  // Of 4 MiB each: the client's own for answers, the server's for requests.
  async limits() {
    const { code: answer } = await unary('Big', String(5 * 1024 * 1024));
    const { code: request } = await unary('Say', 'z'.repeat(5 * 1024 * 1024));
    return { answer, request };
  },

  async sideBySide() {
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, i) => unary('Say', `call ${i}`)));
    return { own: outcomes.filter(({ answer }, i) => answer === `call ${i}`).length };
  },
});
