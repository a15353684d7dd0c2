namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>What a server thinks of its client's certificate. Called by the library in the middle of a handshake: must not wait, and call nothing of it.</summary>
internal interface IOpenSslClientCheck
{
    /// <summary>What a ticket has to hold beside the client's certificate.</summary>
    ReadOnlySpan<byte> TicketData { get; }

    /// <summary>The session may be remembered with all that the client has presented.</summary>
    bool IsSmallEnoughToRemember { get; }

    /// <summary>The client has presented a certificate (DER) and others beside it. 0 lets it in, else one of <see cref="VerificationErrors"/>.</summary>
    int Verify(byte[] certificate, List<byte[]> others);

    /// <summary>
    /// Whether a session may go on, in which the client had presented that certificate; null where it had none. Where not, the client has to begin anew.
    /// </summary>
    bool MayResume(byte[]? certificate, ReadOnlySpan<byte> ticketData);

    /// <summary>The client has presented none. False where it needs one.</summary>
    bool TryGoWithout();

    /// <summary>The handshake is over and has begun a new session. False where the client cannot be let in.</summary>
    bool ConfirmsNew();

    /// <summary>
    /// The handshake is over, and goes on with a session. False where the client cannot be let in. Others than those that <see cref="MayResume"/> was asked
    /// about are looked at now: what is remembered by identifier was not shown before.
    /// </summary>
    /// <param name="certificate">The certificate (DER) that is in the session; null for none.</param>
    /// <param name="others">What is remembered beside it; null where that is left to <paramref name="ticketData"/>.</param>
    /// <param name="ticketData">What its ticket held.</param>
    bool ConfirmsResumed(byte[]? certificate, List<byte[]>? others, ReadOnlySpan<byte> ticketData);
}
