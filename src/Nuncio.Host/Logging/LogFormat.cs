namespace Nuncio.Host.Logging;

/// <summary>How our own log lines look.</summary>
public enum LogFormat
{
    /// <summary>One line for a person.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}
