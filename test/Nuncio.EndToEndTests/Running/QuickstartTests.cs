using System.Text.Json;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Running;

public class QuickstartTests
{
    [Fact]
    public async Task Quickstart_AsTheReadmeShowsIt_AnswersWithAQuote()
    {
        var manifests = await File.ReadAllTextAsync(Path.Combine(TestPaths.Repository, "examples", "quickstart", "quickstart.yaml"));
        await using var gateway = await RunningGateway.StartAsync(manifests.Replace("port: 8080\n", "port: PORT\n", StringComparison.Ordinal), complete: true);

        var response = await gateway.SendAsync("GET", "/backend/", "localhost");

        response.Status.ShouldBe(200);
        using var quote = JsonDocument.Parse(response.BodyText);
        quote.RootElement.GetProperty("quote").GetString().ShouldNotBeNullOrEmpty();
    }
}
