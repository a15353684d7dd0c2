// The service test.Talk on @grpc/grpc-js; prints "port N". Messages are plain UTF-8 text.
'use strict';
const grpc = require('@grpc/grpc-js');
const { byteMethods, textMethods, listen } = require('./grpc-text');

// How far the calls with an id have come, "reached" or "cancelled", and who waits to hear so.
const states = new Map();
const waiting = new Map();

function enter(id, state) {
  if (!id) return;
  states.set(id, state);
  waiting.get(`${id} ${state}`)?.();
}

function watch(call) {
  const [id] = call.metadata.get('x-call-id');
  enter(id, 'reached');
  call.on('cancelled', () => enter(id, 'cancelled'));
}

const talk = {
  Say(call, callback) {
    const head = new grpc.Metadata();
    head.set('x-peer', 'grpc-js');
    for (const value of call.metadata.get('x-bytes-bin')) head.add('x-bytes-bin', value);
    call.sendMetadata(head);
    const after = new grpc.Metadata();
    after.set('x-after', 'said');
    callback(null, call.request, after);
  },
  Quiet(call, callback) {
    callback(null, call.request);
  },
  Fail(call, callback) {
    const after = new grpc.Metadata();
    after.set('x-reason', 'too early');
    callback({ code: grpc.status.FAILED_PRECONDITION, details: call.request, metadata: after });
  },
  SecondsLeft(call, callback) {
    const deadline = call.getDeadline();
    callback(null, deadline === Infinity ? 'no deadline' : String(Math.ceil((deadline - Date.now()) / 1000)));
  },
  Never(call) {
    watch(call);
  },
  State(call, callback) {
    callback(null, states.get(call.request) ?? 'never came');
  },
  // "ID STATE": answered once the call has that state.
  Await(call, callback) {
    const [id, state] = call.request.split(' ');
    if (states.get(id) === state) callback(null, state);
    else waiting.set(call.request, () => callback(null, state));
  },
  Big(call, callback) {
    callback(null, 'x'.repeat(Number(call.request)));
  },
  Count(call) {
    for (let i = 1; i <= Number(call.request); i++) call.write(`number ${i}`);
    call.end();
  },
  CountThenFail(call) {
    call.write('number 1');
    call.emit('error', { code: grpc.status.ABORTED, details: 'lost count' });
  },
  Endless(call) {
    watch(call);
    call.write('first');
  },
  Gather(call, callback) {
    let length = 0;
    let count = 0;
    call.on('data', (text) => { count++; length += text.length; });
    call.on('end', () => callback(null, `${count} messages of ${length}`));
  },
  Chat(call) {
    call.on('data', (text) => call.write(`you said ${text}`));
    call.on('end', () => call.end());
  },
};

const server = new grpc.Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
const one = '';
server.addService(
  {
    ...textMethods('test.Talk', {
      Say: one, Fail: one, SecondsLeft: one, Never: one, State: one, Await: one, Big: one,
      Count: 'answers', CountThenFail: 'answers', Endless: 'answers', Gather: 'requests', Chat: 'both',
    }),
    // As bytes: this server takes an empty string for no message at all.
    ...byteMethods('test.Talk', { Quiet: one }),
  },
  talk);
listen(server);
