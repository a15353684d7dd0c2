// Definitions of gRPC methods without a .proto: messages are UTF-8 text, or bytes as they are.
'use strict';
const grpc = require('@grpc/grpc-js');

const text = { write: (value) => Buffer.from(value, 'utf8'), read: (bytes) => bytes.toString('utf8') };
const bytes = { write: (value) => value, read: (value) => value };

function methods(service, streams, { write, read }) {
  const definition = {};
  for (const [name, streamed] of Object.entries(streams)) {
    definition[name] = {
      path: `/${service}/${name}`,
      requestStream: streamed === 'requests' || streamed === 'both',
      responseStream: streamed === 'answers' || streamed === 'both',
      requestSerialize: write,
      requestDeserialize: read,
      responseSerialize: write,
      responseDeserialize: read,
    };
  }
  return definition;
}

exports.textMethods = (service, streams) => methods(service, streams, text);
exports.byteMethods = (service, streams) => methods(service, streams, bytes);

exports.listen = (server, onPort) => server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  onPort?.(port);
  console.log(`port ${port}`);
});
