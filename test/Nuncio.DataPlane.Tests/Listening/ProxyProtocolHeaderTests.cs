using System.Text;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tests.Listening;

public sealed class ProxyProtocolHeaderTests
{
    private static readonly ProxyProtocolModel Both = new(AllowWithout: false, AllowV1: true, AllowV2: true);

    [Fact]
    public void Version1_GivesBothAddresses()
    {
        var outcome = ProxyProtocolHeader.TryParse("PROXY TCP4 192.0.2.1 198.51.100.2 1111 443\r\nGET"u8, Both, out var header);

        outcome.ShouldBe(ProxyProtocolOutcome.Found);
        header.Length.ShouldBe(44);
        header.Source!.ToString().ShouldBe("192.0.2.1:1111");
        header.Destination!.ToString().ShouldBe("198.51.100.2:443");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n")]
    [InlineData("PROXY TCP4 ::1 ::1 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n")]
    [InlineData("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n")]
    public void Header_ThatIsNone_IsInvalid(string bytes) =>
        ProxyProtocolHeader.TryParse(Encoding.ASCII.GetBytes(bytes), Both, out _).ShouldBe(ProxyProtocolOutcome.Invalid);

    [Fact]
    public void Version1_WithoutEnd_IsInvalidAtItsLongest() =>
        ProxyProtocolHeader.TryParse(Encoding.ASCII.GetBytes("PROXY TCP4 " + new string('1', 200)), Both, out _).ShouldBe(ProxyProtocolOutcome.Invalid);

    [Fact]
    public void Header_EveryPrefix_NeedsMore()
    {
        byte[] whole = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 2, 0x04, 0x57, 0x01, 0xbb];
        for (var length = 0; length < whole.Length; length++)
        {
            ProxyProtocolHeader.TryParse(whole.AsSpan(0, length), Both, out _).ShouldBe(ProxyProtocolOutcome.NeedMore);
        }

        ProxyProtocolHeader.TryParse(whole, Both, out var header).ShouldBe(ProxyProtocolOutcome.Found);
        header.Source!.ToString().ShouldBe("192.0.2.1:1111");
        header.Destination!.ToString().ShouldBe("198.51.100.2:443");
        header.Length.ShouldBe(whole.Length);
    }

    [Fact]
    public void Header_Absent_IsAllowedWhereConfigured() =>
        ProxyProtocolHeader.TryParse("GET /"u8, Both with { AllowWithout = true }, out _).ShouldBe(ProxyProtocolOutcome.Absent);
}
