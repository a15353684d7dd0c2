using Nuncio.Cli;
using Nuncio.DataPlane.Transport;

// Must be known before the first socket. ENVOY_CONCURRENCY is Emissary's name for the number of workers.
SocketRuntime.Prepare(Environment.GetEnvironmentVariable("ENVOY_CONCURRENCY") ?? Environment.GetEnvironmentVariable("AMBASSADOR_ENVOY_CONCURRENCY"));

return await CommandLineRunner.RunAsync(args, Console.Out, Console.Error);
