using System.Net.Sockets;
using System.Security.Authentication;

namespace Nuncio.EndToEndTests.Features;

/// <summary>Connections that are not wanted, and states that come a moment later.</summary>
internal static class Refusal
{
    /// <summary>The connection is refused, reset or closed without an answer.</summary>
    public static async Task ShouldBeRefusedAsync(Func<Task<Reply>> action)
    {
        Reply reply;
        try
        {
            reply = await action();
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
        {
            return;
        }

        // A plain "400 Bad Request" to what was not HTTP is a refusal too.
        reply.Upstream.ShouldBeNull(reply.ToString());
        reply.Status.ShouldBe(400, reply.ToString());
    }

    /// <summary>Waits for a change of manifests to take effect.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "")
    {
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    return await condition();
                }
                catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
                {
                    // Not yet.
                    return false;
                }
            },
            what: what);
    }
}
