using System.Text;
using Nuncio.DataPlane.LoadBalancing;

namespace Nuncio.DataPlane.Tests.LoadBalancing;

public class XxHash64Tests
{
    [Theory]
    [InlineData("", 0xEF46DB3751D8E999)]
    [InlineData("a", 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0x44BC2CF5AD770999)]
    [InlineData("Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1)]
    public void Hash_KnownInput_IsThePublishedValue(string input, ulong expected) => XxHash64.Hash(Encoding.ASCII.GetBytes(input)).ShouldBe(expected);
}
