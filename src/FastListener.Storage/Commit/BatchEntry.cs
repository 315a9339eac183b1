namespace FastListener.Storage.Commit;

/// <summary>One submission in a batch. <c>Id</c> is the object's, new or (late attachment) old.</summary>
internal readonly record struct BatchEntry(Submission Submission, long Id)
{
    public bool IsLate { get; } = Id != 0;

    public uint Random { get; init; }

    public int FirstIndex { get; init; }

    public int Offset { get; init; }

    public int Length { get; init; }
}
