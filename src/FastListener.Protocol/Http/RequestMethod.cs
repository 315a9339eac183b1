namespace FastListener.Protocol.Http;

/// <summary>The methods a listener tells apart (case-sensitive, RFC 9110 9.1).</summary>
public enum RequestMethod : byte
{
    /// <summary>Any other token; see <see cref="RequestHead.MethodBytes"/>.</summary>
    Other,

    /// <summary>POST.</summary>
    Post,

    /// <summary>PUT.</summary>
    Put,

    /// <summary>GET.</summary>
    Get,

    /// <summary>HEAD.</summary>
    Head,

    /// <summary>OPTIONS.</summary>
    Options,
}
