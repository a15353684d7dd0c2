using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Tls;

namespace Nuncio.DataPlane.Tests.Tls;

/// <summary>Names that are not encoded as they should be.</summary>
public sealed class DistinguishedNameTextTests
{
    [Theory]
    [InlineData("1303614062", "CN=a@b")] // no PrintableString by the letter
    [InlineData("0C0461FFFE62", "CN=#0C0461FFFE62")] // no UTF-8
    [InlineData("1E03006100", "CN=#1E03006100")] // half a character
    [InlineData("02012A", "CN=#02012A")] // no text
    public void Value_IsReadLenientlyOrDumped(string value, string expected)
    {
        var bytes = Convert.FromHexString(value);
        byte[] pair = [0x06, 3, 0x55, 4, 3, .. bytes];
        byte[] name = [0x30, (byte)(pair.Length + 4), 0x31, (byte)(pair.Length + 2), 0x30, (byte)pair.Length, .. pair];

        DistinguishedNameText.Of(new X500DistinguishedName(name)).ShouldBe(expected);
    }

    [Fact]
    public void Name_ThatIsNone_IsDumped() => DistinguishedNameText.Of(new X500DistinguishedName([0x30, 2, 0x31, 5])).ShouldBe("#30023105");
}
