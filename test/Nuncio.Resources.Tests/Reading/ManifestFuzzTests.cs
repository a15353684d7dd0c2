using System.Text;
using Nuncio.Resources.Reading;
using Nuncio.Testing;
using Nuncio.Testing.Fuzzing;
using Xunit.Abstractions;

namespace Nuncio.Resources.Tests.Reading;

/// <summary>Random and mutated manifests: the reader answers with resources and findings, and never fails. See <see cref="FuzzSettings"/>.</summary>
public sealed class ManifestFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Words =
    [
        "apiVersion: getambassador.io/v3alpha1\n", "apiVersion: getambassador.io/v2\n", "apiVersion: v1\n", "kind: Mapping\n", "kind: Host\n", "kind: Module\n",
        "kind: Secret\n", "metadata:\n", "  name: a\n", "spec:\n", "  prefix: /a/\n", "  service: s\n", "  hostname: '*'\n", "  config:\n", "---\n", "\n", "  ",
        ": ", "- ", "[", "]", "{", "}", ",", "\"", "'", "|\n", ">-\n", "&a ", "*a", "<<: *a\n", "!!binary ", "!!int ", "null", "true", "1e999", "0x1F", "-.inf",
        "2026-01-01", "\t", "#", "%YAML 1.2\n", "\\u0000", "\uFEFF", "\u2028", "\0", "é", "😀",
    ];

    private static readonly string[] Whole =
    [
        """
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: { name: a, namespace: default, labels: { x: y } }
        spec:
          hostname: "*"
          prefix: /a/
          service: http://s.default:80
          timeout_ms: 3000
          retry_policy: { retry_on: 5xx, num_retries: 3 }
          add_request_headers: { x-a: { value: b, append: false } }
          cors: { origins: ["http://a"], methods: [GET], max_age: "86400" }
          weight: 20
        """,
        """
        apiVersion: getambassador.io/v2
        kind: Module
        metadata: { name: ambassador }
        spec:
          config:
            diagnostics: { enabled: false }
            defaults: { httpmapping: { timeout_ms: 1 } }
            load_balancer: { policy: ring_hash, cookie: { name: c, ttl: 3s } }
        ---
        apiVersion: getambassador.io/v2
        kind: TCPMapping
        metadata: { name: t }
        spec: { port: 6789, service: s:1, host: a.example.com }
        """,
        """
        apiVersion: v1
        kind: Service
        metadata:
          name: s
          annotations:
            getambassador.io/config: |
              ---
              apiVersion: getambassador.io/v1
              kind: Mapping
              name: m
              prefix: /m/
              service: s
        spec: { ports: [ { port: 80, targetPort: 8080 } ] }
        """,
        """{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i"},"spec":{"rules":[{"http":{"paths":[{"path":"/","pathType":"Prefix"}]}}]}}""",
    ];

    [Fact]
    public void Read_AnyText_GivesResourcesAndFindings()
    {
        var reader = new ManifestReader();
        var inputs = FuzzSettings.Inputs(3_000);
        var resources = 0L;
        var findings = 0L;
        ManifestReading? previous = null;
        for (var i = 0; i < inputs; i++)
        {
            var text = Text(new Random(FuzzSettings.Seed + i));
            try
            {
                var reading = reader.Read("fuzz.yaml", text, previous);
                resources += reading.Resources.Length;
                findings += reading.Findings.Length;
                previous = reading;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {FuzzSettings.Seed + i} failed on:\n{text}", e);
            }
        }

        output.WriteLine($"{inputs} texts, {resources} resources, {findings} findings");
    }

    private static string Text(Random random)
    {
        var text = new StringBuilder(Whole[random.Next(Whole.Length)]);
        if (random.Next(4) == 0)
        {
            text.Clear();
            for (var words = random.Next(1, 40); words > 0; words--) text.Append(Words[random.Next(Words.Length)]);
        }
        else if (random.Next(3) == 0)
        {
            text.Append("\n---\n").Append(Whole[random.Next(Whole.Length)]);
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        return Encoding.UTF8.GetString(random.Next(10) == 0 ? bytes : Mutations.Apply(random, bytes, 12));
    }
}
