namespace Nuncio.DataPlane.Tls;

/// <summary>What a server wants of its clients' certificates.</summary>
internal enum ClientCertificateUse : byte
{
    /// <summary>Nothing: they are not asked for one.</summary>
    None,

    /// <summary>They are asked for one, which is looked at where they have one.</summary>
    Optional,

    /// <summary>Nobody is let in without one.</summary>
    Required,
}
