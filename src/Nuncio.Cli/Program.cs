using Nuncio.Cli;

// Must be known before the first socket: work then goes on inline on the thread that the socket woke, without a hop through the thread pool.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

return await CommandLineRunner.RunAsync(args, Console.Out, Console.Error);
