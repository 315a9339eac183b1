using FastListener.Storage.Devices;

namespace FastListener.Storage.Tests;

public sealed class RecoveryTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private string Copy => _data.Path + "/copy";

    [Fact]
    public async Task A_second_store_on_the_same_directory_is_refused()
    {
        await using var store = await _data.OpenAsync();
        var refused = await Assert.ThrowsAsync<StoreBusyException>(() => _data.OpenAsync());
        Assert.Equal(Path.GetFullPath(_data.Path), refused.DataDirectory);
        await store.SubmitAsync([1]);
    }

    [Fact]
    public async Task What_a_pack_holds_beyond_its_committed_end_is_cut()
    {
        Sent sent;
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(3000));
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        var pack = Directory.GetFiles(Copy + "/packs").Single();
        var committed = new FileInfo(pack).Length;
        using (var tail = new FileStream(pack, FileMode.Append))
        {
            tail.Write(StoreActions.Bytes(10_001));
        }

        await using (await _data.OpenAsync(Scenario.Options(Copy)))
        {
            Assert.Equal(committed + 4096, new FileInfo(pack).Length);
            Scenario.AssertKept(Copy, [sent], []);
        }
    }

    [Fact]
    public async Task Files_and_packs_that_nobody_names_move_to_orphans_and_staging_is_swept()
    {
        Sent sent;
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(30_000));
            using var unfinished = store.Begin();
            var payload = unfinished.AddPayload(PayloadKind.Report, "r"u8, default, default);
            await payload.WriteAsync(StoreActions.Bytes(20_000)); // in staging
            using var uncommitted = store.Begin();
            await uncommitted.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(20_001)); // in files/
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        File.Copy(Directory.GetFiles(Copy + "/packs").Single(), Copy + "/packs/0000000077.pack");
        Assert.Equal(2, Directory.EnumerateFiles(Copy + "/files", "*", SearchOption.AllDirectories).Count());
        await using (await _data.OpenAsync(Scenario.Options(Copy)))
        {
            Assert.Single(Directory.EnumerateFiles(Copy + "/files", "*", SearchOption.AllDirectories));
            Assert.Equal(2, Directory.EnumerateFiles(Copy + "/orphans").Count());
            Assert.Single(Directory.EnumerateDirectories(Copy + "/staging"));
            Scenario.AssertKept(Copy, [sent], []);
        }
    }

    [Fact]
    public async Task Recovery_leaves_alone_what_belongs_to_an_instance_that_lives()
    {
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            await store.SubmitAsync(StoreActions.Bytes(30_000));
            using var uncommitted = store.Begin();
            await uncommitted.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(20_001));
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        var staging = Directory.GetDirectories(Copy + "/staging").Single();
        using (LockFile.TryTake(staging + "/lock")) // the other process
        await using (await _data.OpenAsync(Scenario.Options(Copy)))
        {
            Assert.Equal(2, Directory.EnumerateFiles(Copy + "/files", "*", SearchOption.AllDirectories).Count());
            Assert.True(Directory.Exists(staging));
        }

        await using (await _data.OpenAsync(Scenario.Options(Copy)))
        {
            Assert.Single(Directory.EnumerateFiles(Copy + "/files", "*", SearchOption.AllDirectories));
            Assert.False(Directory.Exists(staging));
        }
    }

    [Fact]
    public async Task Ids_go_on_after_a_clean_end_and_never_repeat_after_a_crash()
    {
        var options = Scenario.Options(_data.Path + "/live");
        long last;
        await using (var store = await _data.OpenAsync(options))
        {
            last = (await store.SubmitAsync([1])).Receipt.ObjectId;
            Assert.Equal(1, last);
        }

        await using (var store = await _data.OpenAsync(options))
        {
            Assert.Equal(2, (await store.SubmitAsync([2])).Receipt.ObjectId);
            CopyAsACrashWould(options.DataDirectory, Copy);
        }

        await using (var store = await _data.OpenAsync(Scenario.Options(Copy)))
        {
            Assert.True((await store.SubmitAsync([3])).Receipt.ObjectId > 2);
        }
    }

    [Fact]
    public async Task Packs_without_a_catalog_are_not_taken_for_a_new_store()
    {
        await using (var store = await _data.OpenAsync())
        {
            await store.SubmitAsync([1]);
        }

        File.Delete(_data.Path + "/catalog.db");
        var refused = await Assert.ThrowsAsync<StoreUnusableException>(() => _data.OpenAsync());
        Assert.Contains("alvage", refused.Message, StringComparison.Ordinal);
        Assert.Throws<StoreUnusableException>(() => StoreReader.Open(_data.Path));
    }

    [Fact]
    public async Task A_damaged_catalog_is_refused_with_the_cure()
    {
        await using (var store = await _data.OpenAsync())
        {
            await store.SubmitAsync([1]);
        }

        File.WriteAllBytes(_data.Path + "/catalog.db", StoreActions.Bytes(8192));
        var refused = await Assert.ThrowsAsync<StoreUnusableException>(() => _data.OpenAsync());
        Assert.Contains("alvage", refused.Message, StringComparison.Ordinal);
        Assert.Throws<StoreUnusableException>(() => StoreReader.Open(_data.Path));
    }

    [Fact]
    public async Task A_catalog_of_a_newer_version_is_refused()
    {
        await using (var store = await _data.OpenAsync())
        {
            store.Target.Catalog!.Connection.Execute("PRAGMA user_version=99");
        }

        await Assert.ThrowsAsync<StoreUnusableException>(() => _data.OpenAsync());
        Assert.Throws<StoreUnusableException>(() => StoreReader.Open(_data.Path));
    }

    [Fact]
    public async Task A_start_without_a_crash_touches_no_pack()
    {
        await using (var store = await _data.OpenAsync())
        {
            await store.SubmitAsync(StoreActions.Bytes(3000));
        }

        var touched = new List<string>();
        var device = new TestDevice();
        device.Before = (call, path) =>
        {
            if (path.EndsWith(".pack", StringComparison.Ordinal))
            {
                touched.Add(call);
            }
        };
        await using (await _data.OpenAsync(device: device))
        {
            Assert.Empty(touched);
        }
    }

    /// <summary>The directory as it stands, without the locks, as a process that is killed leaves it.</summary>
    private static void CopyAsACrashWould(string source, string target)
    {
        foreach (var directory in Directory.EnumerateDirectories(source, "*", SearchOption.AllDirectories).Append(source))
        {
            Directory.CreateDirectory(directory.Replace(source, target, StringComparison.Ordinal));
        }

        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            var copy = file.Replace(source, target, StringComparison.Ordinal);
            if (Path.GetFileName(file) == "lock")
            {
                File.WriteAllBytes(copy, []);
            }
            else
            {
                File.Copy(file, copy);
            }
        }
    }
}
