// Envoy's external authorisation and rate limit services on @grpc/grpc-js; prints "port N". The request's x-auth says what is answered.
'use strict';
const grpc = require('@grpc/grpc-js');
const { byteMethods, listen } = require('./grpc-text');

let port;

// The wire format of protocol buffers, as much of it as these messages need.
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const block = (field, ...parts) => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
};
function all(message, field) {
  const found = [];
  let at = 0;
  const next = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      value += (message[at] & 127) * scale;
      if (message[at++] < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const kind = tag % 8;
    const length = kind === 2 ? next() : kind === 1 ? 8 : kind === 5 ? 4 : 0;
    const content = kind === 0 ? next() : message.subarray(at, at += length);
    if (Math.floor(tag / 8) === field) found.push(content);
  }
  return found;
}
const at = (message, ...fields) => fields.reduce((part, field) => all(part, field)[0] ?? Buffer.alloc(0), message);
const map = (message, field) => Object.fromEntries(all(message, field).map((entry) => [String(at(entry, 1)), String(at(entry, 2))]));
const header = (field, name, value) => block(field, block(1, block(1, name), block(2, value)));

// CheckResponse: status 1 (code 1), denied_response 2 (status 1, headers 2, body 3), ok_response 3 (headers 2).
const allowed = (...headers) => Buffer.concat([block(1, number(1, 0)), block(3, ...headers)]);

const checks = {
  deny: (_, callback) => callback(null, Buffer.concat([
    block(1, number(1, grpc.status.UNAUTHENTICATED)), block(2, block(1, number(1, 401)), header(2, 'x-denied-by', 'grpc-js'), block(3, 'not you')),
  ])),
  error: (_, callback) => callback({ code: grpc.status.INTERNAL, details: 'the service is ill' }),
  never: () => {},
  huge: (_, callback) => callback(null, Buffer.concat([allowed(), block(100, Buffer.alloc(5 * 1024 * 1024))])),
  // Tells the caller to go away: GOAWAY on every connection, after this answer.
  drain: (_, callback) => {
    callback(null, allowed(header(2, 'x-user', 'last')));
    setImmediate(() => server.drain(`127.0.0.1:${port}`, 2000));
  },
};

const server = new grpc.Server();
server.addService(byteMethods('envoy.service.auth.v3.Authorization', { Check: '' }), {
  Check(call, callback) {
    const http = at(call.request, 1, 4, 2);
    const answer = checks[map(http, 3)['x-auth']];
    if (answer) answer(call, callback);
    else callback(null, allowed(header(2, 'x-user', `${at(http, 2)} ${at(http, 4)}`), header(2, 'x-deadline', call.getDeadline() === Infinity ? 'none' : 'some')));
  },
});
server.addService(byteMethods('envoy.service.ratelimit.v3.RateLimitService', { ShouldRateLimit: '' }), {
  ShouldRateLimit(call, callback) {
    const over = all(call.request, 2).some((descriptor) => all(descriptor, 1).some((entry) => String(at(entry, 2)) === 'over'));
    callback(null, over ? Buffer.concat([number(1, 2), block(3, block(1, 'x-limited-by'), block(2, 'grpc-js'))]) : number(1, 1));
  },
});
listen(server, (bound) => { port = bound; });
