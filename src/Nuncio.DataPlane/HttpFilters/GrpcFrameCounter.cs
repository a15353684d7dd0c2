using System.Buffers.Binary;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Counts the messages of a gRPC body as it passes.</summary>
internal sealed class GrpcFrameCounter(MetricCounter counter)
{
    private readonly byte[] _prefix = new byte[5];
    private int _prefixLength;
    private long _left;

    /// <summary>Looks at a piece.</summary>
    public void See(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (_left > 0)
            {
                var skipped = (int)Math.Min(_left, data.Length);
                _left -= skipped;
                data = data[skipped..];
                continue;
            }

            var taken = Math.Min(5 - _prefixLength, data.Length);
            data[..taken].CopyTo(_prefix.AsSpan(_prefixLength));
            _prefixLength += taken;
            data = data[taken..];
            if (_prefixLength == 5)
            {
                _left = BinaryPrimitives.ReadUInt32BigEndian(_prefix.AsSpan(1));
                _prefixLength = 0;
                counter.Increment();
            }
        }
    }

    /// <summary>Counts what is read.</summary>
    internal sealed class Source(IBodySource inner, GrpcFrameCounter frames) : IBodySource
    {
        public async ValueTask<Http.BodyRead> ReadBodyAsync()
        {
            var read = await inner.ReadBodyAsync();
            frames.See(read.Data.Span);
            return read;
        }
    }

    /// <summary>Counts what is written.</summary>
    internal sealed class Sink(IBodySink inner, GrpcFrameCounter frames) : IFinishingBodySink
    {
        public ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
        {
            frames.See(data.Span);
            return inner.WriteBodyAsync(data, endStream);
        }

        public ValueTask FlushAsync() => inner.FlushAsync();

        public ValueTask FinishAsync() => inner is IFinishingBodySink sink ? sink.FinishAsync() : default;
    }
}
