using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.Tls.OpenSsl;

// What servers do with the certificates of their clients.
internal static unsafe partial class LibSsl
{
    private const int VerifyPeer = 0x1;
    private const int VerifyFailWithout = 0x2;

    private const int TicketReadable = 5;
    private const int TicketReadableToBeRenewed = 6;
    private const int TicketIgnoreAndRenew = 2;
    private const int TicketUse = 3;
    private const int TicketUseAndRenew = 4;

    // With certificates a session takes dozens of kilobytes.
    private const int MaxRememberedClients = 1000;

    // Each that is presented costs a good part of a handshake, before anything is known of who presents it. A chain is hardly longer than four.
    private const int MaxPresentedBytes = 32 * 1024;
    private const int MaxPresented = 32;

    private const int ControlMaximumCertificateList = 51;
    private const int ControlPeerSignature = 108;
    private const int LibrarySsl = 20;
    private const int ReasonNoCertificate = 199;

    [ThreadStatic]
    private static IOpenSslClientCheck? check;

    /// <summary>Clients of the context are asked for a certificate, which the connection's <see cref="IOpenSslClientCheck"/> looks at. False without memory.</summary>
    /// <param name="context">The context.</param>
    /// <param name="isRequired">The handshake fails without one.</param>
    /// <param name="authorities">Whose certificates clients are to choose from; none for any.</param>
    /// <param name="sessionContext">Sessions go on with contexts of the same only; at most 32 bytes.</param>
    public static bool TryAskForCertificate(nint context, bool isRequired, IEnumerable<byte[]> authorities, ReadOnlySpan<byte> sessionContext)
    {
        fixed (byte* bytes = sessionContext)
        {
            if (SSL_CTX_set_session_id_context(context, bytes, (uint)sessionContext.Length) != 1
                || SSL_CTX_set_session_ticket_cb(context, &OnTicketMade, &OnTicketShown, null) != 1)
            {
                return false;
            }
        }

        _ = SSL_CTX_ctrl(context, ControlSessionCacheSize, MaxRememberedClients, null);
        _ = SSL_CTX_ctrl(context, ControlMaximumCertificateList, MaxPresentedBytes, null);
        SSL_CTX_set_verify(context, isRequired ? VerifyPeer | VerifyFailWithout : VerifyPeer, null);
        SSL_CTX_set_cert_verify_callback(context, &OnCertificate, null);
        foreach (var one in authorities)
        {
            var parsed = LibCrypto.Parse(one);
            var isAdded = parsed != 0 && SSL_CTX_add_client_CA(context, parsed) == 1;
            LibCrypto.Free(parsed);
            if (!isAdded)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Goes on with the handshake of a connection whose context asks for certificates. 1 when it is over, else the error.</summary>
    public static (bool IsDone, int Error) Handshake(nint ssl, IOpenSslWire through, IOpenSslClientCheck by)
    {
        check = by;
        try
        {
            return Handshake(ssl, through);
        }
        finally
        {
            check = null;
        }
    }

    /// <summary>The handshake that has just failed did so because the client has presented no certificate.</summary>
    public static bool FailedForWantOfCertificate()
    {
        var error = LibCrypto.LastError();
        return ((error >> 23) & 0xFF) == LibrarySsl && (error & 0x7FFFFF) == ReasonNoCertificate;
    }

    /// <summary>The certificate (DER) in a connection's session; null for none.</summary>
    public static byte[]? PeerCertificate(nint ssl) => PeerOf(SSL_get_session(ssl));

    /// <summary>What the client has sent beside it, where that is remembered; null otherwise.</summary>
    public static List<byte[]>? PeerChain(nint ssl) => SSL_get_peer_cert_chain(ssl) is not 0 and var list ? ListOf(list, except: 0) : null;

    /// <summary>What the ticket of a connection's session held.</summary>
    public static ReadOnlySpan<byte> TicketData(nint ssl) => TicketDataOf(SSL_get_session(ssl));

    /// <summary>How the client has signed, for <see cref="NegotiatedNames"/>. False where it has not in this handshake.</summary>
    public static bool TryGetPeerSignature(nint ssl, out int key, out int hash)
    {
        int signed = 0, digest = 0;
        var isThere = SSL_get_peer_signature_type_nid(ssl, &signed) == 1 & SSL_ctrl(ssl, ControlPeerSignature, 0, &digest) == 1;
        (key, hash) = isThere ? (signed, digest) : (0, 0);
        return isThere;
    }

    /// <summary>A connection's session is no more to go on with.</summary>
    public static void ForgetSession(nint context, nint ssl) => _ = SSL_CTX_remove_session(context, SSL_get_session(ssl));

    private static byte[]? PeerOf(nint session) => session != 0 && SSL_SESSION_get0_peer(session) is not 0 and var peer ? LibCrypto.DerOf(peer) : null;

    private static ReadOnlySpan<byte> TicketDataOf(nint session)
    {
        byte* data = null;
        nuint length = 0;
        return session != 0 && SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 && data is not null
            ? new ReadOnlySpan<byte>(data, (int)length)
            : default;
    }

    private static List<byte[]> ListOf(nint list, nint except)
    {
        var certificates = new List<byte[]>();
        var count = list == 0 ? 0 : LibCrypto.Count(list);
        for (var i = 0; i < count; i++)
        {
            if (LibCrypto.At(list, i) is var one && one != except)
            {
                certificates.Add(LibCrypto.DerOf(one));
            }
        }

        return certificates;
    }

    // As with the wire, no exception may cross over; whatever goes wrong lets nobody in.
    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int OnCertificate(nint store, void* nothing)
    {
        var error = VerificationErrors.Unspecified;
        try
        {
            var presented = LibCrypto.UntrustedOf(store);
            if (presented != 0 && LibCrypto.Count(presented) > MaxPresented)
            {
                error = VerificationErrors.TooLong;
            }
            else if (check is { } asked)
            {
                var leaf = LibCrypto.CertificateOf(store);
                error = asked.Verify(LibCrypto.DerOf(leaf), ListOf(presented, except: leaf));
            }
        }
        catch (Exception)
        {
            error = VerificationErrors.Unspecified;
        }

        // The library looks for errors there, and takes those of others for its own.
        LibCrypto.ClearErrors();
        LibCrypto.SetError(store, error);
        return error == 0 ? 1 : 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int OnTicketMade(nint ssl, void* nothing)
    {
        try
        {
            if (check is not { } asked)
            {
                return 0;
            }

            var data = asked.TicketData;
            fixed (byte* bytes = data)
            {
                return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), bytes, (nuint)data.Length);
            }
        }
        catch (Exception)
        {
            return 0;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int OnTicketShown(nint ssl, nint session, byte* keyName, nuint keyNameLength, int status, void* nothing)
    {
        var answer = TicketIgnoreAndRenew;
        try
        {
            if (status is TicketReadable or TicketReadableToBeRenewed && check is { } asked && asked.MayResume(PeerOf(session), TicketDataOf(session)))
            {
                answer = status == TicketReadable ? TicketUse : TicketUseAndRenew;
            }
        }
        catch (Exception)
        {
            answer = TicketIgnoreAndRenew;
        }

        LibCrypto.ClearErrors();
        return answer;
    }

#pragma warning disable IDE1006, SA1300 // the names are OpenSSL's
    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_set_session_id_context(nint context, byte* bytes, uint length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_set_session_ticket_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, void*, int> made, delegate* unmanaged[Cdecl]<nint, nint, byte*, nuint, int, void*, int> shown, void* argument);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_CTX_set_verify(nint context, int mode, void* callback);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_CTX_set_cert_verify_callback(nint context, delegate* unmanaged[Cdecl]<nint, void*, int> callback, void* argument);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_add_client_CA(nint context, nint certificate);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_remove_session(nint context, nint session);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_get_peer_signature_type_nid(nint ssl, int* key);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_get_session(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_get_peer_cert_chain(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_SESSION_get0_peer(nint session);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_SESSION_set1_ticket_appdata(nint session, byte* data, nuint length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_SESSION_get0_ticket_appdata(nint session, byte** data, nuint* length);
#pragma warning restore IDE1006, SA1300
}
