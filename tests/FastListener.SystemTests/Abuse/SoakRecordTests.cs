namespace FastListener.SystemTests.Abuse;

/// <summary>What a soak calls flat.</summary>
public sealed class SoakRecordTests
{
    [Theory]
    [InlineData(0, 3600, true)]
    [InlineData(10, 3600, true)]
    [InlineData(40, 3600, false)] // thirteen MiB from one third to the next: less than a third may have more
    [InlineData(40, 600, true)] // of ten minutes nobody can say
    [InlineData(400, 3600, false)]
    public void Memory_that_grows_steadily_is_not_flat(int mebibytesPerHour, int seconds, bool flat)
    {
        var record = new SoakRecord();
        for (var at = 10; at <= seconds; at += 10)
        {
            var memory = (100 + (mebibytesPerHour * at / 3600.0) + (at % 70 * 0.1)) * 1048576; // and a little up and down
            record.Add(new(at, (long)memory, (long)memory, 450, 25, 0.2, 170, 2, 60, 90));
        }

        Assert.Equal(flat, Record.Exception(record.AssertFlat) is null);
    }
}
