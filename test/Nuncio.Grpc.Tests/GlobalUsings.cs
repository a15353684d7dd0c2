global using Google.Protobuf.WellKnownTypes;
global using Nuncio.Grpc.Client;
global using Nuncio.Grpc.Server;
