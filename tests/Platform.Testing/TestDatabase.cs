using Npgsql;
using Platform.Persistence;

namespace Platform.Testing;

/// <summary>A migrated database of its own on the PostgreSQL that <c>./platform test</c> has started; dropped at the end.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;

    private TestDatabase(string server, string name)
    {
        _server = server;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 20 }.ConnectionString;
    }

    public string Name { get; }

    public string ConnectionString { get; }

    public static async Task<TestDatabase> CreateAsync(CancellationToken cancel)
    {
        var database = new TestDatabase(TestServices.Postgres, $"test_{Guid.NewGuid():n}");
        await database.OnServerAsync($"create database {database.Name}", cancel);
        await Migrator.MigrateAsync(database.ConnectionString, cancel);
        return database;
    }

    /// <summary>Runs a query and gives its first value.</summary>
    public async Task<T> QueryAsync<T>(string sql, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async ValueTask DisposeAsync() => await OnServerAsync($"drop database {Name} with (force)", CancellationToken.None);

    private async Task OnServerAsync(string sql, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
