using Npgsql;
using Platform.Persistence;

namespace Platform.Testing;

/// <summary>
/// A migrated database of its own on the PostgreSQL that <c>./platform test</c> has started; dropped at the end.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;

    private TestDatabase(string server, string name)
    {
        _server = server;
        Name = name;
        OwnerConnectionString = new NpgsqlConnectionStringBuilder(server)
        {
            Database = name,
            MaxPoolSize = 20,
        }.ConnectionString;
        ConnectionString = ApplicationRole.ConnectionFor(OwnerConnectionString);
    }

    public string Name { get; }

    /// <summary>As the application's role, which sees the rows of the tenant that it names.</summary>
    public string ConnectionString { get; }

    /// <summary>As the owner, who is above row-level security here.</summary>
    public string OwnerConnectionString { get; }

    public static Task<TestDatabase> CreateAsync(CancellationToken cancel) =>
        CreateAsync(TestServices.Postgres, cancel);

    /// <summary>The same on another server.</summary>
    /// <param name="server">Connection string of the server's owner.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="fill">What comes before the migration, given the owner's connection string.</param>
    public static async Task<TestDatabase> CreateAsync(
        string server,
        CancellationToken cancel,
        Func<string, Task>? fill = null
    )
    {
        var database = new TestDatabase(server, $"test_{Guid.NewGuid():n}");
        await database.OnServerAsync($"create database {database.Name}", cancel);
        if (fill is not null)
            await fill(database.OwnerConnectionString);
        await Migrator.MigrateAsync(database.OwnerConnectionString, null, cancel);
        return database;
    }

    /// <summary>Runs a query and gives its first value.</summary>
    public async Task<T> QueryAsync<T>(string sql, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(OwnerConnectionString);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async ValueTask DisposeAsync()
    {
        await OnServerAsync($"drop database {Name} with (force)", CancellationToken.None);
        await OnServerAsync(
            $"drop role {new NpgsqlConnectionStringBuilder(ConnectionString).Username}",
            CancellationToken.None
        );
    }

    private async Task OnServerAsync(string sql, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_server) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
