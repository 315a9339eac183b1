namespace FastListener.Intake;

/// <summary>Where a request target leads.</summary>
internal enum RouteKind : byte
{
    /// <summary>Nothing is served there.</summary>
    Unknown,

    /// <summary>A path of coronerd's console, which is another listener.</summary>
    Console,

    /// <summary>A submission, an attachment or a symbol upload.</summary>
    Submission,
}

/// <summary>
/// A request target taken apart. Spans point into the target and are still percent-encoded.
/// </summary>
/// <remarks>
/// Forms: <c>/post</c>, <c>/api/post</c>, <c>/api/minidump/post</c>, <c>/</c>, <c>/post/universe/token</c> and
/// <c>/universe/token/format</c>, each with any number of slashes in front, each with attributes glued on by
/// <c>&amp;</c> instead of <c>?</c>.
/// </remarks>
internal ref struct SubmissionRoute
{
    public RouteKind Kind;

    /// <summary>The tenant named in the path; empty when the form has none.</summary>
    public ReadOnlySpan<byte> Universe;

    /// <summary>The token named in the path; empty when the form has none.</summary>
    public ReadOnlySpan<byte> Token;

    /// <summary>The format named in the path; empty when the form has none.</summary>
    public ReadOnlySpan<byte> Format;

    /// <summary>Attributes glued to the path by an ampersand, without the ampersand.</summary>
    public ReadOnlySpan<byte> Glued;

    /// <summary>What follows the first question mark.</summary>
    public ReadOnlySpan<byte> Query;

    /// <summary>Takes a path with its query apart. Never fails; what it does not know is <see cref="RouteKind.Unknown"/>.</summary>
    public static SubmissionRoute Parse(ReadOnlySpan<byte> pathAndQuery)
    {
        var route = new SubmissionRoute();
        var path = pathAndQuery;
        var mark = path.IndexOf((byte)'?');
        if (mark >= 0)
        {
            route.Query = path[(mark + 1)..];
            path = path[..mark];
        }

        var glue = path.IndexOf((byte)'&');
        if (glue >= 0)
        {
            route.Glued = path[(glue + 1)..];
            path = path[..glue];
        }

        path = path.Trim((byte)'/');
        route.Kind = RouteKind.Submission;
        if (path.IsEmpty || path.SequenceEqual("post"u8) || path.SequenceEqual("api/post"u8))
        {
            return route;
        }

        if (path.SequenceEqual("api/minidump/post"u8))
        {
            route.Format = "minidump"u8;
            return route;
        }

        var first = Segment(ref path);
        var second = Segment(ref path);
        var third = Segment(ref path);
        if (first.SequenceEqual("api"u8) || !path.IsEmpty || third.IsEmpty)
        {
            route.Kind = first.SequenceEqual("api"u8) ? RouteKind.Console : RouteKind.Unknown;
        }
        else if (first.SequenceEqual("post"u8))
        {
            route.Universe = second;
            route.Token = third;
        }
        else
        {
            route.Universe = first;
            route.Token = second;
            route.Format = third;
        }

        return route;
    }

    private static ReadOnlySpan<byte> Segment(scoped ref ReadOnlySpan<byte> path)
    {
        var slash = path.IndexOf((byte)'/');
        var segment = slash < 0 ? path : path[..slash];
        path = slash < 0 ? default : path[(slash + 1)..].TrimStart((byte)'/');
        return segment;
    }
}
