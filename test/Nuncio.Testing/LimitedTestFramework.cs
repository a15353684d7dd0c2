using System.Diagnostics;
using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Nuncio.Testing;

/// <summary>
/// Runs tests as xunit does, but none for ever: a test that has not ended within <see cref="Limit"/> fails, is left alone, and the others go on. All waits of
/// tests have limits of their own; this is for the one that was forgotten.
/// </summary>
public sealed class LimitedTestFramework(IMessageSink messageSink) : XunitTestFramework(messageSink)
{
    /// <summary>Less than test/hang.runsettings waits before it ends the whole process.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(7);

    /// <inheritdoc/>
    protected override ITestFrameworkExecutor CreateExecutor(AssemblyName assemblyName) =>
        new Executor(assemblyName, SourceInformationProvider, DiagnosticMessageSink);

    private sealed class Executor(AssemblyName assemblyName, ISourceInformationProvider sources, IMessageSink diagnostics)
        : XunitTestFrameworkExecutor(assemblyName, sources, diagnostics)
    {
        protected override async void RunTestCases(
            IEnumerable<IXunitTestCase> testCases, IMessageSink executionMessageSink, ITestFrameworkExecutionOptions executionOptions)
        {
            using var runner = new AssemblyRunner(TestAssembly, testCases, DiagnosticMessageSink, executionMessageSink, executionOptions);
            await runner.RunAsync();
        }
    }

    private sealed class AssemblyRunner(
        ITestAssembly assembly, IEnumerable<IXunitTestCase> testCases, IMessageSink diagnostics, IMessageSink executionMessages,
        ITestFrameworkExecutionOptions options)
        : XunitTestAssemblyRunner(assembly, testCases, diagnostics, executionMessages, options)
    {
        protected override Task<RunSummary> RunTestCollectionAsync(
            IMessageBus messageBus, ITestCollection testCollection, IEnumerable<IXunitTestCase> testCases, CancellationTokenSource cancellationTokenSource) =>
            new CollectionRunner(
                testCollection, testCases, DiagnosticMessageSink, messageBus, TestCaseOrderer, new ExceptionAggregator(Aggregator),
                cancellationTokenSource).RunAsync();
    }

    private sealed class CollectionRunner(
        ITestCollection collection, IEnumerable<IXunitTestCase> testCases, IMessageSink diagnostics, IMessageBus messageBus, ITestCaseOrderer orderer,
        ExceptionAggregator aggregator, CancellationTokenSource cancellation)
        : XunitTestCollectionRunner(collection, testCases, diagnostics, messageBus, orderer, aggregator, cancellation)
    {
        protected override Task<RunSummary> RunTestClassAsync(ITestClass testClass, IReflectionTypeInfo @class, IEnumerable<IXunitTestCase> testCases) =>
            new ClassRunner(
                testClass, @class, testCases, DiagnosticMessageSink, MessageBus, TestCaseOrderer, new ExceptionAggregator(Aggregator), CancellationTokenSource,
                CollectionFixtureMappings).RunAsync();
    }

    private sealed class ClassRunner(
        ITestClass testClass, IReflectionTypeInfo type, IEnumerable<IXunitTestCase> testCases, IMessageSink diagnostics, IMessageBus messageBus,
        ITestCaseOrderer orderer, ExceptionAggregator aggregator, CancellationTokenSource cancellation, IDictionary<Type, object> fixtures)
        : XunitTestClassRunner(testClass, type, testCases, diagnostics, messageBus, orderer, aggregator, cancellation, fixtures)
    {
        protected override Task<RunSummary> RunTestMethodAsync(
            ITestMethod testMethod, IReflectionMethodInfo method, IEnumerable<IXunitTestCase> testCases, object[] constructorArguments) =>
            new MethodRunner(
                testMethod, Class, method, testCases, DiagnosticMessageSink, MessageBus, new ExceptionAggregator(Aggregator), CancellationTokenSource,
                constructorArguments).RunAsync();
    }

    private sealed class MethodRunner(
        ITestMethod testMethod, IReflectionTypeInfo type, IReflectionMethodInfo method, IEnumerable<IXunitTestCase> testCases, IMessageSink diagnostics,
        IMessageBus messageBus, ExceptionAggregator aggregator, CancellationTokenSource cancellation, object[] constructorArguments)
        : XunitTestMethodRunner(testMethod, type, method, testCases, diagnostics, messageBus, aggregator, cancellation, constructorArguments)
    {
        private readonly IMessageSink _diagnostics = diagnostics;
        private readonly object[] _constructorArguments = constructorArguments;

        protected override async Task<RunSummary> RunTestCaseAsync(IXunitTestCase testCase)
        {
            using var messages = new ClosableMessageBus(MessageBus);
            var begun = Stopwatch.GetTimestamp();
            using var ended = new CancellationTokenSource();
            // On a thread of its own: a test that blocks must not block this.
            var run = Task.Run(() => testCase.RunAsync(
                _diagnostics, messages, _constructorArguments, new ExceptionAggregator(Aggregator), CancellationTokenSource));
            if (await Task.WhenAny(run, Task.Delay(Limit, ended.Token)) == run)
            {
                await ended.CancelAsync();
                return await run;
            }

            messages.Close();
            var seconds = (decimal)Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var test = new XunitTest(testCase, testCase.DisplayName);
            MessageBus.QueueMessage(new TestFailed(test, seconds, "", new TimeoutException($"The test has not ended within {Limit}.")));
            MessageBus.QueueMessage(new TestFinished(test, seconds, ""));
            MessageBus.QueueMessage(new TestCaseFinished(testCase, seconds, 1, 1, 0));
            return new RunSummary { Total = 1, Failed = 1, Time = seconds };
        }
    }

    /// <summary>What a test says after it was given up is not passed on.</summary>
    private sealed class ClosableMessageBus(IMessageBus inner) : IMessageBus
    {
        private readonly Lock _lock = new();
        private bool _isClosed;

        public bool QueueMessage(IMessageSinkMessage message)
        {
            lock (_lock) return _isClosed || inner.QueueMessage(message);
        }

        public void Close()
        {
            lock (_lock) _isClosed = true;
        }

        public void Dispose()
        {
            // The inner one is not its own.
        }
    }
}
