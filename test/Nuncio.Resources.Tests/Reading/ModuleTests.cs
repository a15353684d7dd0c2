using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;
using Nuncio.Resources.Reading;

namespace Nuncio.Resources.Tests.Reading;

public sealed class ModuleTests
{
    [Fact]
    public void Read_BadKey_IsListedAndLeavesTheOthersInForce()
    {
        var module = Read("ambassador", "server_name: 5, merge_slashes: true, cors: abc", out var findings);

        module.Ambassador.ShouldBe(AmbassadorModuleConfig.Empty with { MergeSlashes = true, InvalidKeys = ["cors", "server_name"] });
        findings.Select(f => f.Code).ShouldBe([FindingCodes.WrongType, FindingCodes.WrongType]);
    }

    [Fact]
    public void Read_SwitchSetToFalse_IsFalse() =>
        Read("ambassador", "enable_grpc_web: false", out _).Ambassador!.EnableGrpcWeb.ShouldBe(false);

    [Fact]
    public void Read_BadAddressRule_KeepsThePlaceInTheList()
    {
        var module = Read("ambassador", "ip_allow: [{peer: 127.0.0.1}, {other: x}]", out var findings);

        module.Ambassador!.IpAllow.ShouldBe([new IpRule(IpRuleKind.Peer, "127.0.0.1"), new IpRule(IpRuleKind.Invalid, "")]);
        findings.ShouldHaveSingleItem().FieldPath.ShouldBe("spec.config.ip_allow[1]");
    }

    [Fact]
    public void Read_KeyWithoutEffect_IsANotice()
    {
        Read("ambassador", "xff_num_trusted_hops: 2", out var findings);

        findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.FieldWithoutEffect);
    }

    [Fact]
    public void Read_LogFormats_KeepTextAndObjectApart()
    {
        Read("ambassador", "envoy_log_format: 'x'", out _).Ambassador!.EnvoyLogTextFormat.ShouldBe("x");
        Read("ambassador", "envoy_log_format: {a: '%X%', b: {c: 1}}", out _).Ambassador!.EnvoyLogJsonFormat!.Value.Text.ShouldBe("""{"a":"%X%","b":{"c":1}}""");
    }

    [Fact]
    public void Read_Defaults_KnowBothLevels()
    {
        var defaults = Read(
            "ambassador", "defaults: {tls_secret_namespacing: false, stats_name: a, httpmapping: {add_request_headers: {x: y}}}", out _).Ambassador!.Defaults!;

        defaults.TlsSecretNamespacing.ShouldBe(false);
        defaults.General.StatsName.ShouldBe("a");
        defaults.HttpMapping.AddRequestHeaders!["x"].ShouldBe(new AddedHeader("y", null));
    }

    [Fact]
    public void Read_TlsModule_KeepsItsBlocks()
    {
        var blocks = Read("tls", "server: {enabled: true, secret: a}, client: {cert_required: true}", out _).Tls!.Blocks;

        blocks["server"].ShouldBe(new TlsModuleBlock { Enabled = true, Secret = "a" });
        blocks["client"].CertRequired.ShouldBe(true);
    }

    private static ModuleResource Read(string name, string config, out IReadOnlyList<Finding> findings)
    {
        var reading = new ManifestReader().Read(
            "a.yaml", $"apiVersion: getambassador.io/v3alpha1\nkind: Module\nmetadata: {{name: {name}}}\nspec: {{config: {{{config}}}}}");
        findings = reading.Findings;
        return reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<ModuleResource>();
    }
}
