using System.Text;
using Nuncio.DataPlane.HttpFilters.Scripting;

namespace Nuncio.DataPlane.Tests.HttpFilters.Scripting;

public class Sha224Tests
{
    // The first two are the examples of FIPS 180-4; the others are what OpenSSL makes of it.
    [Theory]
    [InlineData("abc", 1, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525")]
    [InlineData("", 1, "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f")]
    [InlineData("a", 1000000, "20794655980c91d8bbb4c1ea97618a4bf03f42581948b2ee4ee7ad67")]
    public void Hash_OfAText_IsThatOfTheStandard(string text, int times, string expected) =>
        Convert.ToHexStringLower(Sha224.Hash(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, times))))).ShouldBe(expected);
}
