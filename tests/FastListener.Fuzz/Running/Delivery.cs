namespace FastListener.Fuzz.Running;

/// <summary>In which pieces a parser is given its bytes.</summary>
internal readonly struct Delivery
{
    private readonly int _place;
    private readonly int _piece;

    private Delivery(int place, int piece) => (_place, _piece) = (place, piece);

    public static Delivery Whole => new(0, int.MaxValue);

    public static Delivery ByteByByte => new(0, 1);

    /// <summary>In two, at a place anywhere from the first byte to behind the last.</summary>
    public static Delivery CutAt(int place) => new(place, int.MaxValue);

    /// <summary>How long the piece is that begins at a place.</summary>
    public int Next(int at, int length) => Math.Min(_piece, at < _place ? _place - at : length - at);
}
