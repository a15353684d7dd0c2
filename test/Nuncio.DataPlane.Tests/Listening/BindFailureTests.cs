using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tests.Listening;

public sealed class BindFailureTests
{
    [Theory]
    [InlineData(SocketError.AccessDenied, 80, true)]
    [InlineData(SocketError.AccessDenied, 8080, false)]
    [InlineData(SocketError.AddressAlreadyInUse, 8080, true)]
    [InlineData(SocketError.AddressNotAvailable, 8080, true)]
    [InlineData(SocketError.NetworkDown, 80, false)]
    public void Description_SaysWhatToDoWhereThatIsKnown(SocketError error, int port, bool isKnown)
    {
        var exception = new SocketException((int)error);
        var description = BindFailure.Describe(new ListenAddress(new IPEndPoint(IPAddress.Any, port), false), exception);

        description.ShouldStartWith($"cannot bind '0.0.0.0:{port}': {exception.Message}");
        description.EndsWith(exception.Message, StringComparison.Ordinal).ShouldBe(!isKnown);
    }

    [Fact]
    public void Description_OfUdp_NamesIt() =>
        BindFailure.Describe(new ListenAddress(new IPEndPoint(IPAddress.Any, 443), false, IsUdp: true), new InvalidOperationException("no"))
            .ShouldStartWith("cannot bind '0.0.0.0:443/udp': no");
}
