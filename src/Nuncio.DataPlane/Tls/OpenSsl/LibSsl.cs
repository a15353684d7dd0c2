using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Text;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>What is used of OpenSSL 3 (values of &lt;openssl/ssl.h&gt;, &lt;openssl/tls1.h&gt; and &lt;openssl/bio.h&gt;).</summary>
internal static unsafe partial class LibSsl
{
    public const int Tls12 = 0x0303;
    public const int Tls13 = 0x0304;

    public const int ErrorWantRead = 2;
    public const int ErrorZeroReturn = 6;

    public const int AlpnOk = 0;
    public const int AlpnNoAcknowledgement = 3;

    private const ulong OptionNoTicket = 1UL << 14;
    private const ulong OptionNoCompression = 1UL << 17;
    private const ulong OptionServerPreference = 1UL << 22;
    private const ulong OptionNoRenegotiation = 1UL << 30;

    private const int ControlExtraChainCertificate = 14;
    private const int ControlMode = 33;
    private const int ControlSessionCacheSize = 42;
    private const int ControlSessionCacheMode = 44;
    private const int ControlGroupsList = 92;
    private const int ControlNegotiatedGroup = 134;
    private const int ControlMinimumVersion = 123;
    private const int ControlMaximumVersion = 124;
    private const int ModeAcceptMovingWriteBuffer = 0x2;
    private const int ModeReleaseBuffers = 0x10;
    private const int SessionCacheServer = 0x2;

    // Of TLS 1.2 without tickets only; a session takes less than a kilobyte.
    private const int MaxRememberedSessions = 10_000;

    private const ulong InitializeNoAtExit = 0x00080000;
    private const ulong InitializeLoadConfiguration = 0x00000040;

    private const int BioSourceAndSink = 0x0400;
    private const int BioShouldRetryRead = 0x1 | 0x8;
    private const int BioControlFlush = 11;

    private static readonly Lazy<nint> Method = new(CreateMethod);

    [ThreadStatic]
    private static IOpenSslWire? wire;

    /// <summary>It is there, and not switched off by <c>NUNCIO_TLS_ENGINE=platform</c>.</summary>
    public static bool IsAvailable { get; } = Load();

    /// <summary>A context for servers; 0 when the library has no memory, or does not take a setting.</summary>
    public static nint CreateServerContext(OpenSslServerSettings settings)
    {
        var context = SSL_CTX_new(TLS_server_method());
        if (context == 0)
        {
            return 0;
        }

        var options = OptionNoCompression | OptionNoRenegotiation | (settings.PrefersClientCiphers ? 0 : OptionServerPreference);
        _ = SSL_CTX_set_options(context, options | (settings.AllowsTickets ? 0 : OptionNoTicket));
        _ = SSL_CTX_ctrl(context, ControlMinimumVersion, settings.Versions.HasFlag(SslProtocols.Tls12) ? Tls12 : Tls13, null);
        _ = SSL_CTX_ctrl(context, ControlMaximumVersion, settings.Versions.HasFlag(SslProtocols.Tls13) ? Tls13 : Tls12, null);
        _ = SSL_CTX_ctrl(context, ControlMode, ModeAcceptMovingWriteBuffer | ModeReleaseBuffers, null);

        // Sessions live with the client, in tickets. One is all that a client with one connection uses, and costs a twentieth of a handshake.
        _ = SSL_CTX_set_num_tickets(context, settings.AllowsTickets ? 1 : 0);
        _ = SSL_CTX_ctrl(context, ControlSessionCacheMode, settings.AllowsIdentifiers ? SessionCacheServer : 0, null);
        _ = SSL_CTX_ctrl(context, ControlSessionCacheSize, MaxRememberedSessions, null);
        if (settings.SessionSeconds is { } seconds)
        {
            _ = SSL_CTX_set_timeout(context, (nint)seconds);
        }

        if ((settings.Ciphers is null || SSL_CTX_set_cipher_list(context, settings.Ciphers) == 1)
            && (settings.Groups is null || TrySetGroups(context, settings.Groups)))
        {
            return context;
        }

        FreeContext(context);
        return 0;
    }

    /// <summary>Whether the library has a group of this name.</summary>
    public static bool KnowsGroup(string name)
    {
        var context = SSL_CTX_new(TLS_server_method());
        var isKnown = context != 0 && TrySetGroups(context, name);
        FreeContext(context);
        return isKnown;
    }

    /// <summary>Puts certificate, key (PKCS #8) and the certificates above it, all DER, into a context. False when the library does not take one of them.</summary>
    public static bool Use(nint context, ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> key, IEnumerable<byte[]> chain)
    {
        fixed (byte* bytes = certificate)
        {
            if (SSL_CTX_use_certificate_ASN1(context, certificate.Length, bytes) != 1)
            {
                return false;
            }
        }

        fixed (byte* bytes = key)
        {
            var at = bytes;
            var parsed = d2i_AutoPrivateKey(null, &at, key.Length);
            var isUsed = parsed != 0 && SSL_CTX_use_PrivateKey(context, parsed) == 1;
            EVP_PKEY_free(parsed);
            if (!isUsed)
            {
                return false;
            }
        }

        foreach (var one in chain)
        {
            var parsed = LibCrypto.Parse(one);
            if (parsed == 0)
            {
                return false;
            }

            // Its owner is the context then.
            if (SSL_CTX_ctrl(context, ControlExtraChainCertificate, 0, (void*)parsed) != 1)
            {
                LibCrypto.Free(parsed);
                return false;
            }
        }

        return SSL_CTX_check_private_key(context) == 1;
    }

    /// <summary>Lets the context choose among <paramref name="protocols"/> (RFC 7301's list, in the order of preference), which must outlive it.</summary>
    public static void SetAlpn(nint context, byte* protocols) => SSL_CTX_set_alpn_select_cb(context, &SelectProtocol, protocols);

    /// <summary>A connection of the context whose bytes go through an <see cref="IOpenSslWire"/>; 0 when the library has no memory.</summary>
    public static nint CreateConnection(nint context)
    {
        var bio = BIO_new(Method.Value);
        if (bio == 0)
        {
            return 0;
        }

        var ssl = SSL_new(context);
        if (ssl == 0)
        {
            _ = BIO_free(bio);
            return 0;
        }

        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
        SSL_set_accept_state(ssl);
        return ssl;
    }

    /// <summary>1 when the handshake is over, else the error.</summary>
    public static (bool IsDone, int Error) Handshake(nint ssl, IOpenSslWire through)
    {
        LibCrypto.ClearErrors();
        wire = through;
        var result = SSL_do_handshake(ssl);
        wire = null;
        return result == 1 ? (true, 0) : (false, SSL_get_error(ssl, result));
    }

    /// <summary>Bytes decrypted; when there are none, the error, negative.</summary>
    public static int Read(nint ssl, Span<byte> buffer, IOpenSslWire through)
    {
        LibCrypto.ClearErrors();
        wire = through;
        int result;
        fixed (byte* bytes = buffer)
        {
            result = SSL_read(ssl, bytes, buffer.Length);
        }

        wire = null;
        return result > 0 ? result : -SSL_get_error(ssl, result);
    }

    /// <summary>Encrypts all of it.</summary>
    public static bool Write(nint ssl, ReadOnlySpan<byte> data, IOpenSslWire through)
    {
        LibCrypto.ClearErrors();
        wire = through;
        int result;
        fixed (byte* bytes = data)
        {
            result = SSL_write(ssl, bytes, data.Length);
        }

        wire = null;
        return result == data.Length;
    }

    /// <summary>Says close_notify.</summary>
    public static void Shutdown(nint ssl, IOpenSslWire through)
    {
        LibCrypto.ClearErrors();
        wire = through;
        _ = SSL_shutdown(ssl);
        wire = null;
    }

    /// <summary>What ALPN chose; empty for nothing.</summary>
    public static ReadOnlySpan<byte> SelectedProtocol(nint ssl)
    {
        byte* data;
        uint length;
        SSL_get0_alpn_selected(ssl, &data, &length);
        return new ReadOnlySpan<byte>(data, (int)length);
    }

    /// <summary>The group of a connection's key exchange, for <see cref="NegotiatedNames"/>; 0 for none.</summary>
    public static int Group(nint ssl) => (int)SSL_ctrl(ssl, ControlNegotiatedGroup, 0, null);

    private static bool TrySetGroups(nint context, string groups)
    {
        fixed (byte* bytes = Encoding.ASCII.GetBytes(groups + "\0"))
        {
            return SSL_CTX_ctrl(context, ControlGroupsList, 0, bytes) == 1;
        }
    }

    private static bool Load()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("NUNCIO_TLS_ENGINE") == "platform")
        {
            return false;
        }

        // Not closed again: it stays loaded. Its clean-up at exit would pull the ground from under the threads that still serve then.
        return NativeLibrary.TryLoad("libssl.so.3", out _) && NativeLibrary.TryLoad("libcrypto.so.3", out _)
            && OPENSSL_init_ssl(InitializeNoAtExit | InitializeLoadConfiguration, null) == 1;
    }

    private static nint CreateMethod()
    {
        var method = BIO_meth_new(BIO_get_new_index() | BioSourceAndSink, "nuncio");
        _ = BIO_meth_set_read(method, &OnRead);
        _ = BIO_meth_set_write(method, &OnWrite);
        _ = BIO_meth_set_ctrl(method, &OnControl);
        return method;
    }

    // No exception may cross over to the library, that of a failed allocation for instance: it would end the process instead of the connection.
    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int OnRead(nint bio, byte* buffer, int length)
    {
        BIO_clear_flags(bio, BioShouldRetryRead);
        try
        {
            var count = length > 0 && wire is { } source ? source.Take(new Span<byte>(buffer, length)) : 0;
            if (count > 0)
            {
                return count;
            }
        }
        catch (Exception)
        {
            return -1;
        }

        BIO_set_flags(bio, BioShouldRetryRead);
        return -1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int OnWrite(nint bio, byte* buffer, int length)
    {
        try
        {
            if (wire is not { } sink)
            {
                return -1;
            }

            BIO_clear_flags(bio, BioShouldRetryRead);
            sink.Put(new ReadOnlySpan<byte>(buffer, length));
            return length;
        }
        catch (Exception)
        {
            return -1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static nint OnControl(nint bio, int command, nint number, nint pointer) => command == BioControlFlush ? 1 : 0;

    // As Envoy does: our order decides, and a client with whom we share nothing goes on without ALPN.
    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int SelectProtocol(nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength, void* ours)
    {
        for (var mine = (byte*)ours; *mine > 0; mine += *mine + 1)
        {
            var name = new ReadOnlySpan<byte>(mine + 1, *mine);
            for (var at = 0; at < offeredLength && at + 1 + offered[at] <= offeredLength; at += offered[at] + 1)
            {
                if (name.SequenceEqual(new ReadOnlySpan<byte>(offered + at + 1, offered[at])))
                {
                    *selected = mine + 1;
                    *selectedLength = *mine;
                    return AlpnOk;
                }
            }
        }

        return AlpnNoAcknowledgement;
    }

    /// <summary>The version of a connection, <see cref="Tls12"/> or <see cref="Tls13"/>.</summary>
    [LibraryImport("libssl.so.3", EntryPoint = "SSL_version")]
    public static partial int Version(nint ssl);

    /// <summary>The cipher of a connection, for <see cref="CipherName"/>.</summary>
    [LibraryImport("libssl.so.3", EntryPoint = "SSL_get_current_cipher")]
    public static partial nint CurrentCipher(nint ssl);

    /// <summary>OpenSSL's name of a cipher, a C string that stays.</summary>
    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CIPHER_get_name")]
    public static partial nint CipherName(nint cipher);

    /// <summary>1: bytes of the peer are kept that were not handed out yet, maybe of a record that is not whole.</summary>
    [LibraryImport("libssl.so.3", EntryPoint = "SSL_has_pending")]
    public static partial int HasPending(nint ssl);

    /// <summary>How many decrypted bytes are kept.</summary>
    [LibraryImport("libssl.so.3", EntryPoint = "SSL_pending")]
    public static partial int Pending(nint ssl);

    /// <summary>1: the handshake went on with an earlier session.</summary>
    [LibraryImport("libssl.so.3", EntryPoint = "SSL_session_reused")]
    public static partial int IsResumed(nint ssl);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_free")]
    public static partial void FreeConnection(nint ssl);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_free")]
    public static partial void FreeContext(nint context);

#pragma warning disable IDE1006, SA1300 // the names are OpenSSL's
    [LibraryImport("libssl.so.3")]
    private static partial int OPENSSL_init_ssl(ulong options, void* settings);

    [LibraryImport("libssl.so.3")]
    private static partial nint TLS_server_method();

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_CTX_new(nint method);

    [LibraryImport("libssl.so.3")]
    private static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_CTX_ctrl(nint context, int command, nint number, void* pointer);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, void* pointer);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_set_num_tickets(nint context, nint count);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_CTX_set_timeout(nint context, nint seconds);

    [LibraryImport("libssl.so.3", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_set_cipher_list(nint context, string list);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_use_certificate_ASN1(nint context, int length, byte* der);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_use_PrivateKey(nint context, nint key);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_check_private_key(nint context);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_CTX_set_alpn_select_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, void*, int> callback, void* argument);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_new(nint context);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_set_bio(nint ssl, nint read, nint write);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_do_handshake(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_shutdown(nint ssl);

    [LibraryImport("libssl.so.3")]
    [SuppressGCTransition]
    private static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_get0_alpn_selected(nint ssl, byte** data, uint* length);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint d2i_AutoPrivateKey(nint* result, byte** der, nint length);

    [LibraryImport("libcrypto.so.3")]
    private static partial void EVP_PKEY_free(nint key);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_get_new_index();

    [LibraryImport("libcrypto.so.3", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint BIO_meth_new(int type, string name);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> callback);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> callback);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint> callback);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint BIO_new(nint method);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_free(nint bio);

    [LibraryImport("libcrypto.so.3")]
    private static partial void BIO_set_init(nint bio, int init);

    [LibraryImport("libcrypto.so.3")]
    [SuppressGCTransition]
    private static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport("libcrypto.so.3")]
    [SuppressGCTransition]
    private static partial void BIO_clear_flags(nint bio, int flags);
#pragma warning restore IDE1006, SA1300
}
