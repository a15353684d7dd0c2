using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds access logs: to files, to standard output, and to services over gRPC.</summary>
internal sealed class AccessLogBinder(AccessLogFiles files, GrpcAccessLogBinder? remote)
{
    /// <summary>Envoy's default format.</summary>
    public const string DefaultFormat =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% "
        + "%DURATION% "
        + "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
        + "\"%UPSTREAM_HOST%\"\n";

    /// <summary>The logs that could be bound. One that is not supported is reported and left out: it lets nothing through.</summary>
    public IReadOnlyList<AccessLogModel> Bind(IReadOnlyList<AccessLogV3.AccessLog> messages, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(errors);
        var logs = new List<AccessLogModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (Bind(messages[i], BindErrors.Path(path, "access_log", i), errors) is { } log)
            {
                logs.Add(log);
            }
        }

        return logs;
    }

    /// <summary>A filter of requests; null for all of them, or with an error.</summary>
    public static AccessLogFilter? BindFilter(AccessLogV3.AccessLogFilter? message, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        switch (message?.FilterSpecifierCase)
        {
            case null or AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.None:
                return null;
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.StatusCodeFilter:
                return Comparison(duration: false, message.StatusCodeFilter.Comparison);
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.DurationFilter:
                return Comparison(duration: true, message.DurationFilter.Comparison);
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.NotHealthCheckFilter:
                return new AccessLogFilter.Everything();
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.RuntimeFilter:
                return new AccessLogFilter.Fraction(ValueBinder.Fraction(message.RuntimeFilter.PercentSampled));
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.AndFilter:
                return new AccessLogFilter.All(Filters(message.AndFilter.Filters, BindErrors.Path(path, "and_filter"), errors));
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.OrFilter:
                return new AccessLogFilter.Any(Filters(message.OrFilter.Filters, BindErrors.Path(path, "or_filter"), errors));
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.HeaderFilter:
                return ValueBinder.Header(message.HeaderFilter.Header, BindErrors.Path(path, "header_filter.header"), errors) is { } header
                    ? new AccessLogFilter.Header(header) : null;
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.ResponseFlagFilter:
                var flags = ResponseFlags.None;
                foreach (var name in message.ResponseFlagFilter.Flags)
                {
                    var flag = ResponseFlagNames.Parse(name);
                    if (flag == ResponseFlags.None)
                    {
                        errors.Add(BindErrors.Path(path, "response_flag_filter.flags"), $"There is no response flag {name}.");
                    }

                    flags |= flag;
                }

                return new AccessLogFilter.Flags(flags);
            case AccessLogV3.AccessLogFilter.FilterSpecifierOneofCase.GrpcStatusFilter:
                return new AccessLogFilter.GrpcStatus([.. message.GrpcStatusFilter.Statuses.Select(status => (int)status)], message.GrpcStatusFilter.Exclude);
            default:
                errors.Add(path, "This filter is not supported by the embedded proxy.");
                return null;
        }
    }

    private static AccessLogFilter.Comparison Comparison(bool duration, AccessLogV3.ComparisonFilter? message) =>
        new(duration, message?.Op ?? AccessLogV3.ComparisonFilter.Types.Op.Eq, message?.Value?.DefaultValue ?? 0);

    private static AccessLogFilter[] Filters(IReadOnlyList<AccessLogV3.AccessLogFilter> messages, string path, BindErrors errors)
    {
        var filters = new List<AccessLogFilter>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (BindFilter(messages[i], BindErrors.Path(path, "filters", i), errors) is { } filter)
            {
                filters.Add(filter);
            }
        }

        return [.. filters];
    }

    private AccessLogModel? Bind(AccessLogV3.AccessLog message, string path, BindErrors errors)
    {
        var configPath = BindErrors.Path(path, "typed_config");
        var type = Any.GetTypeName(message.TypedConfig?.TypeUrl ?? "");
        var file = "";
        SubstitutionFormat? format;
        var filter = BindFilter(message.Filter, BindErrors.Path(path, "filter"), errors);
        var absent = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            if (remote is not null && GrpcAccessLogBinder.Knows(type))
            {
                return remote.Bind(message.TypedConfig!, filter, configPath, errors);
            }

            if (type == FileAccessLog.Descriptor.FullName)
            {
                var config = FileAccessLog.Parser.ParseFrom(message.TypedConfig!.Value);
                file = config.Path;
                format = Format(config, configPath, errors, absent);
            }
            else if (type == StdoutAccessLog.Descriptor.FullName)
            {
                file = "/dev/stdout";
                format = Format(StdoutAccessLog.Parser.ParseFrom(message.TypedConfig!.Value).LogFormat, configPath, errors, absent);
            }
            else if (type == StderrAccessLog.Descriptor.FullName)
            {
                file = "/dev/stderr";
                format = Format(StderrAccessLog.Parser.ParseFrom(message.TypedConfig!.Value).LogFormat, configPath, errors, absent);
            }
            else
            {
                errors.AddFailClosed(configPath, $"The access log {message.Name} ({type}) is not supported by the embedded proxy: nothing is logged there.");
                return null;
            }
        }
        catch (Exception e) when (AnyReading.IsUnreadable(e))
        {
            errors.Add(configPath, $"The message cannot be read: {e.Message}");
            return null;
        }

        // A value that is missing from a log endangers nothing; without the listener there would be nothing to log.
        foreach (var name in absent)
        {
            errors.AddPartial(configPath, $"The embedded proxy does not know %{name}% as it is used here: it is always absent from this log.");
        }

        if (file.Length == 0)
        {
            errors.Add(BindErrors.Path(configPath, "path"), "An access log needs a path.");
            return null;
        }

        return format is null ? null : new FileAccessLogModel { Filter = filter, Format = format, Path = file, File = files.Get(file) };
    }

    private static SubstitutionFormat? Format(FileAccessLog config, string path, BindErrors errors, ISet<string> absent)
    {
        switch (config.AccessLogFormatCase)
        {
            case FileAccessLog.AccessLogFormatOneofCase.Format when config.Format.Length > 0:
                return ValueBinder.Format(config.Format, omitEmpty: false, BindErrors.Path(path, "format"), errors, absent);
            case FileAccessLog.AccessLogFormatOneofCase.JsonFormat:
                return Json(config.JsonFormat, BindErrors.Path(path, "json_format"), errors, absent);
            case FileAccessLog.AccessLogFormatOneofCase.TypedJsonFormat:
                return Json(config.TypedJsonFormat, BindErrors.Path(path, "typed_json_format"), errors, absent);
            case FileAccessLog.AccessLogFormatOneofCase.LogFormat:
                return Format(config.LogFormat, BindErrors.Path(path, "log_format"), errors, absent);
            default:
                return ValueBinder.Format(DefaultFormat, omitEmpty: false, path, errors);
        }
    }

    private static SubstitutionFormat? Format(CoreV3.SubstitutionFormatString? message, string path, BindErrors errors, ISet<string> absent)
    {
        if (message is null)
        {
            return ValueBinder.Format(DefaultFormat, omitEmpty: false, path, errors);
        }

        var format = ValueBinder.Format(message, path, errors, absent);
        return format is JsonFormat ? new LineFormat(format) : format;
    }

    private static LineFormat? Json(Struct format, string path, BindErrors errors, ISet<string> absent)
    {
        var json = JsonFormat.TryCreate(format, omitEmpty: false, sort: false, out var error, absent);
        if (json is null)
        {
            errors.Add(path, $"The format is not valid: {error}.");
        }

        return json is null ? null : new LineFormat(json);
    }

    /// <summary>JSON as one line of a log.</summary>
    private sealed class LineFormat(SubstitutionFormat inner) : SubstitutionFormat
    {
        public override void Write(HttpExchange exchange, FormatBuffer buffer)
        {
            inner.Write(exchange, buffer);
            buffer.Write((byte)'\n');
        }
    }
}
