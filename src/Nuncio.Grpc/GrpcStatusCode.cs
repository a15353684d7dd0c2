namespace Nuncio.Grpc;

/// <summary>How a call ended (gRPC's statuscodes.md).</summary>
public enum GrpcStatusCode
{
    /// <summary>Well.</summary>
    Ok = 0,

    /// <summary>Given up, usually by the caller.</summary>
    Cancelled = 1,

    /// <summary>Not known, such as an exception nobody expected.</summary>
    Unknown = 2,

    /// <summary>The request makes no sense, whatever the state of the server.</summary>
    InvalidArgument = 3,

    /// <summary>The time limit passed.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>What should be made exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller may not.</summary>
    PermissionDenied = 7,

    /// <summary>Something has run out, a message is too large among others.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state that the request needs.</summary>
    FailedPrecondition = 9,

    /// <summary>Given up for a conflict.</summary>
    Aborted = 10,

    /// <summary>Past the valid range.</summary>
    OutOfRange = 11,

    /// <summary>No such method.</summary>
    Unimplemented = 12,

    /// <summary>A broken invariant, such as an unreadable message.</summary>
    Internal = 13,

    /// <summary>Not reachable now; may be tried again.</summary>
    Unavailable = 14,

    /// <summary>Lost data.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}
