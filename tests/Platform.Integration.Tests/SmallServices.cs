using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// A PostgreSQL and a RabbitMQ of their own, each with its data on a small file system in memory, which can be filled.
/// </summary>
internal sealed class SmallServices : IAsyncDisposable
{
    private readonly string _home;

    private SmallServices(string home)
    {
        _home = home;
        (Postgres, RabbitMq) = (
            new SmallDisk(Path.Combine(home, "postgres")),
            new SmallDisk(Path.Combine(home, "rabbitmq"))
        );
    }

    /// <summary>Where PostgreSQL keeps data and log.</summary>
    public SmallDisk Postgres { get; }

    /// <summary>Where RabbitMQ keeps its queues.</summary>
    public SmallDisk RabbitMq { get; }

    public ServiceAddresses Addresses { get; private set; } = null!;

    /// <summary>Mounts, and starts both servers; null where this process may not mount.</summary>
    public static async Task<SmallServices?> TryStartAsync()
    {
        var home = Directory.CreateTempSubdirectory("platform-small-").FullName;
        // The servers' accounts have to get in.
        await Script.RunProgramAsync("/bin/sh", "-c", "exec chmod 711 \"$0\"", home);
        var services = new SmallServices(home);
        try
        {
            if (
                !await services.Postgres.TryMountAsync(mebibytes: 256)
                || !await services.RabbitMq.TryMountAsync(mebibytes: 160)
            )
            {
                await services.DisposeAsync();
                return null;
            }

            await services.StartAsync();
            return services;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts what does not run.</summary>
    public async Task StartAsync() => Addresses = await TestServices.StartPrivateAsync(_home);

    public async ValueTask DisposeAsync()
    {
        await Script.RunAsync("services", "stop", "--home", _home);
        await Postgres.DisposeAsync();
        await RabbitMq.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }
}

/// <summary>A file system in memory.</summary>
internal sealed class SmallDisk(string folder) : IAsyncDisposable
{
    private const int Block = 1024 * 1024;
    private readonly string _ballast = Path.Combine(folder, "ballast");
    private bool _isMounted;

    public async Task<bool> TryMountAsync(int mebibytes)
    {
        Directory.CreateDirectory(folder);
        var mount = await Script.RunProgramAsync(
            "/bin/sh",
            "-c",
            $"exec mount -t tmpfs -o size={mebibytes}m,mode=755 platform-tests \"$0\"",
            folder
        );
        return _isMounted = mount.ExitCode == 0;
    }

    /// <summary>Leaves so much room and no more.</summary>
    public void Fill(int leaveMebibytes = 0)
    {
        var room = new DriveInfo(folder).AvailableFreeSpace - (leaveMebibytes * (long)Block);
        using var ballast = File.Create(_ballast);
        var zeros = new byte[Block];
        try
        {
            for (; room > 0; room -= Block)
                ballast.Write(zeros, 0, (int)Math.Min(Block, room));
        }
        catch (IOException)
        {
            // The server has taken the last of it meanwhile.
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(_ballast);

    public async ValueTask DisposeAsync()
    {
        if (_isMounted)
            await Script.RunProgramAsync("/bin/sh", "-c", "exec umount \"$0\"", folder);
    }
}
