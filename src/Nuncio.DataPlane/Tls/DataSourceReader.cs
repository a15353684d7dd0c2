using System.Text;
using Nuncio.DataPlane.Binding;

namespace Nuncio.DataPlane.Tls;

/// <summary>Reads a <c>DataSource</c>. Files are read once, when the message is bound, as Envoy does without a watched directory.</summary>
internal static class DataSourceReader
{
    // No certificate bundle or key is anywhere near it.
    private const long MaxFileLength = 16 << 20;

    /// <summary>The content as text; null with an error when there is none. The error never quotes the content.</summary>
    public static string? Read(CoreV3.DataSource? source, string path, BindErrors errors)
    {
        switch (source?.SpecifierCase)
        {
            case CoreV3.DataSource.SpecifierOneofCase.InlineString:
                return source.InlineString;
            case CoreV3.DataSource.SpecifierOneofCase.InlineBytes:
                return Encoding.UTF8.GetString(source.InlineBytes.Span);
            case CoreV3.DataSource.SpecifierOneofCase.EnvironmentVariable:
                if (Environment.GetEnvironmentVariable(source.EnvironmentVariable) is { } value)
                    return value;
                errors.Add(path, $"the environment variable {source.EnvironmentVariable} is not set");
                return null;
            case CoreV3.DataSource.SpecifierOneofCase.Filename:
                return ReadFile(source.Filename, path, errors);
            default:
                errors.Add(path, "nothing is given");
                return null;
        }
    }

    private static string? ReadFile(string file, string path, BindErrors errors)
    {
        try
        {
            if (new FileInfo(file).Length <= MaxFileLength)
                return File.ReadAllText(file);
            errors.Add(path, $"{file} is larger than {MaxFileLength} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            errors.Add(path, $"{file} cannot be read: {e.Message}");
        }

        return null;
    }
}
