using FastListener.Storage.Devices;

namespace FastListener.Storage.Tests;

public sealed class RecoveryTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private string Copy => _data.Path + "/copy";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_first_start_makes_the_whole_way_to_the_directory_durable_whoever_made_it(bool wasMade)
    {
        var data = _data.Path + "/a/b";
        if (wasMade)
        {
            Directory.CreateDirectory(data); // as the program does, or a start that died at once
        }

        var synced = new List<string>();
        var device = new TestDevice
        {
            Before = (call, path) =>
            {
                if (call == "syncdir")
                {
                    synced.Add(path);
                }
            },
        };
        await using (await _data.OpenAsync(Scenario.Options(data), device))
        {
            Assert.Equal([_data.Path + "/a", _data.Path, Path.GetDirectoryName(_data.Path)!], synced.Take(3));
        }

        synced.Clear();
        await using (await _data.OpenAsync(Scenario.Options(data), device))
        {
            Assert.All(synced, path => Assert.StartsWith(data, path, StringComparison.Ordinal));
        }
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
        var committed = StoreActions.CommittedEnd(Copy);
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_last_batch_that_did_not_survive_the_power_cut_is_forgotten_and_nothing_before_it_is(bool fileIsShort)
    {
        Sent kept;
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            kept = await store.SubmitAsync(StoreActions.Bytes(3000));
            CopyAsACrashWould(_data.Path + "/live", Copy);
            var start = StoreActions.CommittedEnd(Copy);
            Directory.Delete(Copy, recursive: true);
            using (var submission = store.Begin())
            {
                submission.FollowUpOf = kept.Receipt.ObjectId;
                await submission.AddAsync(PayloadKind.Attachment, "large", StoreActions.Bytes(50_000)); // a file of its own
                await submission.AddAsync(PayloadKind.Attachment, "small", StoreActions.Bytes(500));
                await store.CommitBookedAsync(submission);
            }

            CopyAsACrashWould(_data.Path + "/live", Copy);
            using var pack = File.OpenWrite(Directory.GetFiles(Copy + "/packs").Single());
            if (fileIsShort)
            {
                pack.SetLength(start);
            }
            else
            {
                pack.Position = start + 400; // its header survived, a payload did not
                pack.Write(new byte[96]);
            }
        }

        var log = new EventLogger();
        await using (var store = await _data.OpenAsync(Scenario.Options(Copy), logger: log))
        {
            Assert.Equal(fileIsShort ? [513, 507] : [527, 513, 507], log.Events.Where(id => id is 507 or 513 or 526 or 527));
            Scenario.AssertKept(Copy, [kept], []);
            using (var reader = StoreReader.Open(Copy))
            {
                Assert.Single(reader.Find(kept.Reference)!.Payloads); // the late attachment is gone
            }

            Assert.Equal(fileIsShort ? 1 : 2, Directory.GetFiles(Copy + "/orphans").Length); // its file was durable before, and what is left of the batch is kept
            var next = await store.SubmitAsync(StoreActions.Bytes(2500));
            Assert.Equal(1, (await store.AttachAsync(kept.Receipt.ObjectId, "late", [1, 2, 3])).AttachmentId);
            Scenario.AssertKept(Copy, [next], []);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_byte_that_rots_in_a_last_batch_long_durable_costs_its_object_alone(bool packIsFull)
    {
        List<Sent> sent = [];
        var device = new TestDevice();
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live") with { PackBytes = packIsFull ? 1 : 1_000_000 }, device))
        {
            using var first = new ManualResetEventSlim();
            using var others = new ManualResetEventSlim();
            device.Before = (call, path) =>
            {
                if (call == "write" && path.EndsWith(".pack", StringComparison.Ordinal) && Thread.CurrentThread.Name == "committer")
                {
                    first.Set();
                    others.Wait(TimeSpan.FromSeconds(30)); // they queue up behind the first, and share the next batch
                }
            };
            var submitting = new List<Task<Sent>> { Task.Run(() => store.SubmitAsync(StoreActions.Bytes(3000, 10))) };
            Assert.True(first.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            submitting.Add(store.SubmitAsync(StoreActions.Bytes(3000, 11)));
            submitting.Add(store.SubmitAsync(StoreActions.Bytes(3000, 12)));
            others.Set();
            sent.AddRange(await Task.WhenAll(submitting));
            device.Before = (_, _) => { };
            Assert.True(await store.WriteLedgerAsync()); // what an idle committer does within two seconds
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        sent.Sort((a, b) => a.Receipt.ObjectId.CompareTo(b.Receipt.ObjectId));
        var rotten = sent[^1];
        Catalog.RecordPlace place;
        using (var reader = StoreReader.Open(Copy))
        {
            place = reader.Catalog.ById(rotten.Receipt.ObjectId)!.Numbers.Place;
            Assert.Equal(place.Pack, reader.Catalog.ById(sent[^2].Receipt.ObjectId)!.Numbers.Place.Pack);
        }

        using (var pack = File.Open(new StoreLayout(Copy).Pack(place.Pack), FileMode.Open))
        {
            pack.Position = place.Offset + place.Length - 1;
            var last = pack.ReadByte();
            pack.Position--;
            pack.WriteByte((byte)(last ^ 1));
        }

        await using (await _data.OpenAsync(Scenario.Options(Copy)))
        {
            using var reader = StoreReader.Open(Copy);
            Assert.All(sent[..^1], reader.AssertHolds);
            Assert.NotNull(reader.Find(rotten.Reference));
            Assert.Single(Verification.Run(Copy).Damaged);
        }
    }

    [Fact]
    public async Task A_last_batch_that_cannot_be_read_is_left_as_it_is_and_the_store_opens()
    {
        Sent sent;
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(3000));
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        var pack = Directory.GetFiles(Copy + "/packs").Single();
        File.Move(pack, pack + ".sound");
        File.CreateSymbolicLink(pack, "/proc/self/mem"); // as a failing disk: it opens, and reading its beginning is an input/output error
        await using (var store = await _data.OpenAsync(Scenario.Options(Copy)))
        {
            var next = await store.SubmitAsync(StoreActions.Bytes(2500));
            using var reader = StoreReader.Open(Copy);
            reader.AssertHolds(next);
        }

        File.Move(pack + ".sound", pack, overwrite: true); // the disk gives it back after all
        using (var reader = StoreReader.Open(Copy))
        {
            reader.AssertHolds(sent);
        }
    }

    [Fact]
    public async Task What_an_earlier_recovery_set_aside_is_never_replaced()
    {
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            using var uncommitted = store.Begin();
            await uncommitted.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(20_001));
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        var name = Path.GetFileName(Directory.EnumerateFiles(Copy + "/files", "*", SearchOption.AllDirectories).Single());
        File.WriteAllText(Copy + "/orphans/" + name, "from another time");
        await using (await _data.OpenAsync(Scenario.Options(Copy)))
        {
            Assert.Equal("from another time", File.ReadAllText(Copy + "/orphans/" + name));
            Assert.Equal(2, Directory.GetFiles(Copy + "/orphans").Length);
        }
    }

    [Fact]
    public async Task A_start_writes_a_log_once_more_that_another_process_left_behind()
    {
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path + "/live")))
        {
            await store.SubmitAsync(StoreActions.Bytes(3000));
            CopyAsACrashWould(_data.Path + "/live", Copy);
        }

        var log = new FileInfo(Copy + "/catalog.db-wal");
        Assert.True(log.Length > 0);
        var device = new TestDevice();
        var calls = new List<string>();
        device.Before = (call, path) =>
        {
            if (path == log.FullName)
            {
                calls.Add(call);
            }
        };
        await using (await _data.OpenAsync(Scenario.Options(Copy), device))
        {
            Assert.Equal(["open", "write", "sync"], calls[..3]);
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

    [Theory]
    [InlineData("its log removed")]
    [InlineData("an older copy")]
    [InlineData("a copy from before the pack")]
    public async Task A_catalog_that_has_lost_commits_is_refused_nothing_is_cut_and_salvage_brings_them_back(string what)
    {
        var live = _data.Path + "/live";
        var old = _data.Path + "/old.db";
        var sent = new List<Sent>();
        await using (await _data.OpenAsync(Scenario.Options(live)))
        {
        }

        await using (var store = await _data.OpenAsync(Scenario.Options(live)))
        {
            if (what == "a copy from before the pack")
            {
                CopyCatalog(live, old);
            }

            sent.Add(await store.SubmitAsync(StoreActions.Bytes(3000)));
            if (what == "an older copy")
            {
                CopyCatalog(live, old);
            }

            for (var i = 0; i < 3; i++)
            {
                sent.Add(await store.SubmitAsync(StoreActions.Bytes(2000 + i)));
            }

            CopyAsACrashWould(live, Copy);
        }

        File.Delete(Copy + "/catalog.db-wal");
        if (what != "its log removed")
        {
            File.Copy(old, Copy + "/catalog.db", overwrite: true);
        }

        var pack = Directory.GetFiles(Copy + "/packs").Single();
        var before = await File.ReadAllBytesAsync(pack, TestContext.Current.CancellationToken);
        for (var tries = 0; tries < 2; tries++)
        {
            var refused = await Assert.ThrowsAsync<StoreUnusableException>(() => _data.OpenAsync(Scenario.Options(Copy)));
            Assert.Contains("alvage", refused.Message, StringComparison.Ordinal);
            Assert.Equal(before, await File.ReadAllBytesAsync(pack, TestContext.Current.CancellationToken));
        }

        Salvage.Run(Copy);
        await using (var store = await _data.OpenAsync(Scenario.Options(Copy)))
        {
            sent.Add(await store.SubmitAsync(StoreActions.Bytes(10)));
            Scenario.AssertKept(Copy, sent, []);
        }
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

    /// <summary>The catalog of this moment in one file, as an operator's copy of it would be.</summary>
    private static void CopyCatalog(string from, string to)
    {
        File.Copy(from + "/catalog.db", to);
        File.Copy(from + "/catalog.db-wal", to + "-wal");
        using (var connection = Catalog.CatalogConnection.OpenForWriting(to, create: false))
        {
            connection.EmptyLog();
        }

        File.Delete(to + "-wal");
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
