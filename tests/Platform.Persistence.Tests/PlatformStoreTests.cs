using System.Net.Sockets;
using Npgsql;

namespace Platform.Persistence.Tests;

public sealed class PlatformStoreTests(TestStore store)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("Host=localhost;No Reset On Close=true")]
    [InlineData("Host=localhost;no reset on close=True")]
    [InlineData("Host=localhost;NoResetOnClose=true")]
    public void Connections_that_would_keep_one_tenants_settings_for_the_next_are_refused(string connectionString) =>
        Assert.Throws<ArgumentException>(() => new PlatformStore(connectionString));

    [Fact]
    public async Task A_migrated_database_gives_a_sign_of_life() => await store.Store.PingAsync(Patience);

    [Fact]
    public async Task A_session_that_is_ended_twice_leaves_the_next_one_on_its_connection_alone()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var narrow = new PlatformStore(
            new NpgsqlConnectionStringBuilder(store.Database.ConnectionString) { MaxPoolSize = 1 }.ConnectionString
        );
        var first = await narrow.OpenAsync(TestStore.NewTenant(), cancel);
        await first.DisposeAsync();
        await using var next = await narrow.OpenAsync(TestStore.NewTenant(), cancel);
        await first.DisposeAsync();
        await next.CommitAsync(cancel);
    }

    [Fact]
    public async Task A_role_above_row_level_security_is_refused()
    {
        await using var above = new PlatformStore(store.Database.OwnerConnectionString);
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => above.PingAsync(Patience));
        Assert.Contains("row-level security", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_without_the_schema_gives_none()
    {
        var server = new NpgsqlConnectionStringBuilder(Testing.TestServices.Postgres) { Database = "postgres" };
        await using var other = new PlatformStore(server.ConnectionString);
        await Assert.ThrowsAsync<PostgresException>(() => other.PingAsync(Patience));
    }

    [Theory]
    [InlineData("23505", true)]
    [InlineData("40001", true)]
    [InlineData("40P01", true)]
    [InlineData("53300", true)]
    [InlineData("57P01", true)]
    [InlineData("57P02", true)]
    [InlineData("57P03", true)]
    [InlineData("22P05", false)]
    [InlineData("23514", false)]
    [InlineData("42P01", false)]
    public void Passing_states_of_the_database_are_told_from_lasting_ones(string sqlState, bool passing)
    {
        var fault = new PostgresException("it says so", "ERROR", "ERROR", sqlState);
        Assert.Equal(passing, PlatformStore.IsTransient(fault));
        Assert.Equal(
            passing,
            PlatformStore.IsTransient(
                new InvalidOperationException("wrapped", new InvalidOperationException("twice", fault))
            )
        );
    }

    [Theory]
    [InlineData("25P03")]
    [InlineData("XX000")]
    public void What_ends_a_session_passes(string sqlState) =>
        Assert.True(
            PlatformStore.IsTransient(new PostgresException("could not write init file", "TÖDLICH", "FATAL", sqlState))
        );

    [Fact]
    public void A_lost_connection_passes_and_a_wrong_argument_lasts()
    {
        Assert.True(PlatformStore.IsTransient(new SocketException()));
        Assert.True(PlatformStore.IsTransient(new IOException()));
        Assert.True(PlatformStore.IsTransient(new TimeoutException()));
        Assert.False(PlatformStore.IsTransient(new ArgumentException("wrong")));
    }
}
